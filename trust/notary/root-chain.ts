import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { Moment } from './certificate-chain.ts';
import type { Gun } from './gun.ts';
import { type Pin, pinFault } from './pin.ts';
import { ownSigners, type RootKey, rootKeysOf } from './root-key.ts';
import { parseRoot, type RootMetadata } from './root-metadata.ts';
import { signersOf } from './signature.ts';

export interface RootFile {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly metadata: RootMetadata;
}

/**
 * Roots in order, each signed by the keys of the one before and by its own. The last is the one in force; the pin is
 * met by one of them, not always the last: publishers rotate keys, and the operator's pin stays.
 */
export interface RootChain {
  readonly roots: readonly RootFile[];
  readonly current: RootFile;
  /** Keys of the current root that signed it and whose certificates fit. */
  readonly signers: readonly RootKey[];
  /** When too few certificates of these signers will be valid. */
  readonly certifiedUntil: Date;
}

/** @throws MetadataError METADATA_INVALID, METADATA_MISMATCH */
export function readRoot(bytes: Uint8Array): RootFile {
  return { bytes, sha256: hexDigest('sha256', bytes), metadata: parseRoot(bytes) };
}

/**
 * Checks a sequence of roots link by link. Periods of certificates count for the last one only: earlier ones merely
 * hand over.
 * @throws MetadataError KEY_NOT_TRUSTED, SIGNATURE_INVALID, METADATA_EXPIRED (a certificate), METADATA_ROLLBACK
 */
export function linkRoots(roots: readonly RootFile[], gun: Gun, at: Moment): RootChain {
  const current = roots.at(-1);
  if (current === undefined) throw new RangeError('expected at least one root, got none');
  roots.forEach((root, index) => {
    const previous = roots[index - 1];
    if (previous !== undefined) requireSuccessor(previous, root, gun);
    ownSigners(root.metadata, gun, root === current ? at : 'anytime');
  });
  const signers = ownSigners(current.metadata, gun, at);
  return { roots, current, signers, certifiedUntil: certifiedUntil(signers, current.metadata.roles.root.threshold) };
}

/** Whether the pin is met by a root of this chain, however old: what follows was handed over from there. */
export function isAnchored(chain: RootChain, pin: Pin, gun: Gun): boolean {
  return chain.roots.some(({ metadata }) => pinFault(metadata, pin, gun, 'anytime') === undefined);
}

/**
 * Whether `next` may replace `previous`: newer, and signed by as many of the previous root's keys as that one asks for.
 * @throws MetadataError METADATA_ROLLBACK, KEY_NOT_TRUSTED
 */
export function requireSuccessor(previous: RootFile, next: RootFile, gun: Gun): void {
  const { version, roles } = previous.metadata;
  if (next.metadata.version <= version) {
    throw new MetadataError(
      'METADATA_ROLLBACK',
      `root: expected a version after ${version}, which was seen before, got ${next.metadata.version}`,
    );
  }
  const { fit } = rootKeysOf(previous.metadata, gun, 'anytime');
  const signers = signersOf(
    next.metadata,
    fit.map(({ key }) => key),
  );
  // A thief of the server's keys, or of the name, can write a root that is perfect but for this.
  if (signers.length < roles.root.threshold) {
    throw new MetadataError(
      'KEY_NOT_TRUSTED',
      `root ${next.metadata.version} of ${gun} does not follow from root ${version}: ` +
        `expected signatures of ${roles.root.threshold} of its keys, got ${signers.length}`,
    );
  }
}

function certifiedUntil(signers: readonly RootKey[], threshold: number): Date {
  const ends = signers.map(({ leaf }) => leaf.notAfter.getTime()).sort((one, other) => other - one);
  return new Date(ends[threshold - 1] ?? 0);
}
