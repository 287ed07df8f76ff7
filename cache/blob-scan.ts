import { join } from 'node:path';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { ALGORITHMS, algorithmFolder, blobPath, digestAt, isShard } from './blob-path.ts';
import type { Disk } from './disk.ts';

/** Files asked for size and time at once. */
const STATS_AT_ONCE = 64;

/** Foreign names that a log line shows. */
const NAMES_SHOWN = 10;

export interface Found {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * What is on disk, least recently used first: in the saved order, then, as newer, by time of writing what was
 * not saved. Sizes that were saved are believed without asking the disk; they only steer eviction.
 */
export async function scanBlobs(
  disk: Disk,
  data: string,
  saved: ReadonlyMap<Digest, number>,
  log: Log,
): Promise<Found[]> {
  const here = new Set<Digest>();
  const foreign: string[] = [];
  for (const algorithm of ALGORITHMS) await listAlgorithm(disk, data, algorithm, here, foreign);
  if (foreign.length > 0) {
    log.warn({ count: foreign.length, names: foreign.slice(0, NAMES_SHOWN) }, 'files that are not ours are left alone');
  }
  const known = [...saved].filter(([digest]) => here.has(digest)).map(([digest, size]) => ({ digest, size }));
  const unknown = [...here].filter((digest) => !saved.has(digest));
  return [...known, ...(await byTimeOfWriting(disk, data, unknown, log))];
}

async function listAlgorithm(
  disk: Disk,
  data: string,
  algorithm: DigestAlgorithm,
  here: Set<Digest>,
  foreign: string[],
): Promise<void> {
  const folder = algorithmFolder(data, algorithm);
  for (const shard of await disk.list(folder)) {
    if (!isShard(shard)) {
      foreign.push(join(algorithm, shard));
      continue;
    }
    for (const name of await disk.list(join(folder, shard))) {
      const digest = digestAt(algorithm, shard, name);
      if (digest === undefined) foreign.push(join(algorithm, shard, name));
      else here.add(digest);
    }
  }
}

async function byTimeOfWriting(disk: Disk, data: string, digests: readonly Digest[], log: Log): Promise<Found[]> {
  const found: (Found & { readonly modified: number })[] = [];
  for (let at = 0; at < digests.length; at += STATS_AT_ONCE) {
    const some = digests.slice(at, at + STATS_AT_ONCE).map(async (digest) => {
      try {
        found.push({ digest, ...(await disk.modifiedAt(blobPath(data, digest))) });
      } catch (cause) {
        log.warn({ digest, err: cause }, 'a cached file could not be looked at; it is left alone');
      }
    });
    await Promise.all(some);
  }
  return found.sort((a, b) => a.modified - b.modified).map(({ digest, size }) => ({ digest, size }));
}
