import { type MetadataFetch, MetadataTooLarge } from '../fetch-metadata.ts';
import { malformed } from '../metadata/metadata-error.ts';
import { fileText, type MetadataFiles, type MetadataSource } from './source.ts';

/** Metadata under a URL: every file at its name. */
export function httpSource(base: string, fetch: MetadataFetch): MetadataSource {
  const address = `${base.replace(/\/+$/, '')}/`;
  const files: MetadataFiles = {
    get: async (file, limit) => {
      const name = fileText(file);
      try {
        const answer = await fetch.get(address + name, limit);
        if (answer.kind === 'missing') return undefined;
        if (answer.bytes.byteLength <= limit) return answer.bytes;
      } catch (cause) {
        if (!(cause instanceof MetadataTooLarge)) throw cause;
      }
      throw malformed(name, `at most ${limit} bytes`, 'more');
    },
  };
  return { address, look: () => files };
}
