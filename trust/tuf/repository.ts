import type { MetadataError } from '../metadata/metadata-error.ts';
import type { TrustedFile } from './envelope.ts';
import type { Floors } from './floors.ts';
import type { Key } from './key.ts';
import type { RootChain } from './root-chain.ts';
import type { RoleKeys } from './signature.ts';
import type { SnapshotMetadata, TimestampMetadata } from './snapshot-metadata.ts';
import type { TargetsMetadata } from './targets-metadata.ts';

export interface SignedFile<Metadata extends TrustedFile['metadata']> extends TrustedFile<Metadata> {
  readonly signers: readonly Key[];
}

/** The file of a delegated role. Whether its signatures are good depends on who delegates to it, so that is kept with the delegator. */
export interface RoleFile extends TrustedFile<TargetsMetadata> {
  readonly name: string;
}

/** From one delegator to one role: who signed it, or what is wrong with it. */
export type Link = { readonly keys: RoleKeys } & (
  | { readonly signers: readonly Key[] }
  | { readonly fault: MetadataError }
);

/** By name of the role that is delegated to. */
export type Links = ReadonlyMap<string, Link>;

/**
 * All metadata that belongs together, checked but for time: whether something has expired is asked of it again at each
 * judgement. Never changed, only replaced as a whole.
 */
export interface Repository {
  readonly chain: RootChain;
  readonly timestamp: SignedFile<TimestampMetadata>;
  readonly snapshot: SignedFile<SnapshotMetadata>;
  readonly targets: SignedFile<TargetsMetadata>;
  /** Delegated roles whose files are what the snapshot says they are. */
  readonly roles: ReadonlyMap<string, RoleFile>;
  /** What each role that was reached hands on to, by its name; `targets` among them. */
  readonly links: ReadonlyMap<string, Links>;
  readonly floors: Floors;
}

/** Every file it was put together from. */
export function allFilesOf({ chain, timestamp, snapshot, targets, roles }: Repository): readonly TrustedFile[] {
  return [...chain.roots, timestamp, snapshot, targets, ...roles.values()];
}

/** Roles that are delegated to and cannot be used, with why. */
export function faultsOf({ links }: Repository): ReadonlyMap<string, MetadataError> {
  const faults = new Map<string, MetadataError>();
  for (const children of links.values()) {
    for (const [name, link] of children) if ('fault' in link) faults.set(name, link.fault);
  }
  return faults;
}
