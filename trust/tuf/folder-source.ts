import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MetadataUnavailable } from '../fetch-metadata.ts';
import { malformed } from '../metadata/metadata-error.ts';
import { fileText, type MetadataFiles, type MetadataSource } from './source.ts';

/** Metadata in a local folder: what a web server would serve, or what was carried here by hand. */
export function folderSource(folder: string): MetadataSource {
  const files: MetadataFiles = {
    get: async (file, limit) => {
      const name = fileText(file);
      const bytes = await readUpTo(folder, name, limit + 1);
      if (bytes !== undefined && bytes.byteLength > limit) throw malformed(name, `at most ${limit} bytes`, 'more');
      return bytes;
    },
  };
  return { address: folder, look: () => files };
}

async function readUpTo(folder: string, name: string, limit: number): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  try {
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(Math.min(limit, (await file.stat()).size + 1));
      let filled = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, filled, buffer.byteLength - filled);
        filled += bytesRead;
        if (bytesRead === 0 || filled === buffer.byteLength) return buffer.subarray(0, filled);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && (await isThere(folder)))
      return undefined;
    throw new MetadataUnavailable(`${path} could not be read (${cause instanceof Error ? cause.message : cause})`, {
      cause,
    });
  }
}

/** A folder that is not there is a disk that is not mounted, not a repository that has lost its files. */
async function isThere(folder: string): Promise<boolean> {
  return await stat(folder).then(
    () => true,
    () => false,
  );
}
