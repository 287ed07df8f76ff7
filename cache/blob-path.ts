import { join } from 'node:path';
import { algorithmOf, type Digest, type DigestAlgorithm, hexOf, isDigest } from '../oci/digest.ts';

/** Where content lies: `<data>/blobs/sha256/ab/ab12…`. Only what a Digest can spell becomes part of a path. */
export const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/** Keeps folders small: 256 of them an algorithm. */
const SHARD_LENGTH = 2;
const SHARD = /^[0-9a-f]{2}$/;

export function blobFolder(data: string, digest: Digest): string {
  return join(algorithmFolder(data, algorithmOf(digest)), hexOf(digest).slice(0, SHARD_LENGTH));
}

export function blobPath(data: string, digest: Digest): string {
  return join(blobFolder(data, digest), hexOf(digest));
}

export function algorithmFolder(data: string, algorithm: DigestAlgorithm): string {
  return join(data, 'blobs', algorithm);
}

export function isShard(name: string): boolean {
  return SHARD.test(name);
}

/** The digest that a file of this name in this shard holds; undefined for a name that we did not give. */
export function digestAt(algorithm: DigestAlgorithm, shard: string, name: string): Digest | undefined {
  const text = `${algorithm}:${name}`;
  return name.startsWith(shard) && isDigest(text) ? text : undefined;
}

/** The order of use as it was last saved. */
export function recencyPath(data: string): string {
  return join(data, 'blobs', 'recency');
}

/** Where files are written before they get their name. On the same file system, or a rename could not place them. */
export function asideFolder(data: string): string {
  return join(data, 'tmp');
}

export function asidePath(data: string, name: string): string {
  return join(asideFolder(data), `${ASIDE_PREFIX}${name}`);
}

/** Tells our unfinished files from those of others who write aside in the same folder. */
export const ASIDE_PREFIX = 'blob-';
