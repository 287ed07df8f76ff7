import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Digest, isDigest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { asidePath, recencyPath } from './blob-path.ts';
import { type Disk, hasCode } from './disk.ts';

/** Lines written at a time. */
const BATCH = 10_000;

const LINE = /^(\S+) (\d{1,16})$/;

/**
 * Saves the order of use, least recent first, a line `<digest> <size>` each. Losing it, whole or in part, is
 * harmless: it says what to evict first, never what may be served.
 */
export async function saveRecency(
  disk: Disk,
  data: string,
  leastRecentFirst: readonly { readonly digest: Digest; readonly size: number }[],
): Promise<void> {
  const aside = asidePath(data, randomUUID());
  const file = await disk.create(aside);
  try {
    let position = 0;
    for (let at = 0; at < leastRecentFirst.length; at += BATCH) {
      const lines = leastRecentFirst.slice(at, at + BATCH).map(({ digest, size }) => `${digest} ${size}\n`);
      const bytes = Buffer.from(lines.join(''));
      await file.write(bytes, position);
      position += bytes.length;
    }
    await file.sync();
    await disk.rename(aside, recencyPath(data));
  } finally {
    await file.close();
    await disk.remove(aside);
  }
}

/** What was saved; nothing when nothing was. Lines that are not ours are left out. */
export async function loadRecency(data: string, log: Log): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  try {
    for await (const line of createInterface({ input: createReadStream(recencyPath(data)), crlfDelay: Infinity })) {
      const [, digest, size] = LINE.exec(line) ?? [];
      if (digest !== undefined && isDigest(digest)) sizes.set(digest, Number(size));
    }
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) log.warn({ err: cause }, 'the saved order of use could not be read');
  }
  return sizes;
}
