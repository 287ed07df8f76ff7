import type { Gun } from './gun.ts';
import type { Key } from './key.ts';
import type { DelegationName, RoleName, TargetsName } from './role-name.ts';
import type { RootChain } from './root-chain.ts';
import type { RoleKeys } from './signature.ts';
import type { SnapshotMetadata, TimestampMetadata } from './snapshot-metadata.ts';
import type { TargetsMetadata } from './targets-metadata.ts';
import type { Floors } from './version-floor.ts';

/** A file whose signatures were found good, as the bytes that came. */
export interface TrustedFile<Metadata> {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
  readonly metadata: Metadata;
  readonly signers: readonly Key[];
}

export interface TrustedTargets extends TrustedFile<TargetsMetadata> {
  readonly name: TargetsName;
  /** Who may sign the role, as its parent says. */
  readonly keys: RoleKeys;
  /** Prefixes of the tags this role may sign, within those of all its parents. */
  readonly paths: readonly string[];
}

/** A file that does not count, kept as it came: under other keys it may count one day. */
export interface SkippedTargets {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
  /** The sentence that says what is wrong with it. */
  readonly why: string;
}

/**
 * All metadata of a repository that belongs together, checked but for time: whether something has expired is asked of
 * it again at each judgement. Never changed, only replaced as a whole.
 */
export interface TrustedRepository {
  readonly gun: Gun;
  readonly chain: RootChain;
  readonly timestamp: TrustedFile<TimestampMetadata>;
  readonly snapshot: TrustedFile<SnapshotMetadata>;
  /** `targets` and every delegation that was found good. */
  readonly targets: ReadonlyMap<TargetsName, TrustedTargets>;
  /** Delegations that are passed over because too few of their keys have signed. */
  readonly skipped: ReadonlyMap<DelegationName, SkippedTargets>;
  readonly floors: Floors;
}

/** A file by its bytes alone. */
export type StoredFile = Pick<SkippedTargets, 'bytes' | 'sha256'>;

/** The files that are signed for by the roles they are of. Roots apart, which are a chain. */
export function trustedFilesOf({ timestamp, snapshot, targets }: TrustedRepository) {
  return new Map<RoleName, TrustedFile<{ readonly version: number; readonly expires: Date }>>([
    ['timestamp', timestamp],
    ['snapshot', snapshot],
    ...targets,
  ]);
}

/** Every file it was put together from, roots and passed over ones included. */
export function allFilesOf(repository: TrustedRepository): readonly StoredFile[] {
  return [...repository.chain.roots, ...trustedFilesOf(repository).values(), ...repository.skipped.values()];
}

/** Bytes that all its files have together. */
export function sizeOf(repository: TrustedRepository): number {
  return allFilesOf(repository).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}
