import { MetadataError } from '../metadata/metadata-error.ts';
import type { Key } from './key.ts';
import type { Repository } from './repository.ts';
import type { RootChain, RootFile } from './root-chain.ts';
import type { RoleKeys } from './signature.ts';

/** The highest version of a role that was ever relied on. */
export interface Floor {
  readonly version: number;
  /** SHA-256 in hex of what was signed. */
  readonly signedHash: string;
  /** Identities of the keys that signed it. */
  readonly keys: readonly string[];
}

/** By role. They outlive the metadata itself: they are also kept apart from it. */
export type Floors = ReadonlyMap<string, Floor>;

export const NO_FLOORS: Floors = new Map();

/**
 * Whether the floor still holds under the keys that a role has now: as long as whoever signed it then could sign for the role now.
 *
 * TUF specification 5.3.11: who stole the keys of timestamp and snapshot can raise their versions so far that no honest one is ever
 * high enough (fast-forward); that is mended by a root with other keys for them, upon which clients forget the versions. Here they are
 * forgotten only where the old signers no longer meet the role's threshold: never for a rotation that leaves them able to sign.
 */
export function holds(floor: Floor, { keys, threshold }: RoleKeys): boolean {
  const now = new Set(keys.map(({ identity }) => identity));
  return floor.keys.filter((identity) => now.has(identity)).length >= threshold;
}

/**
 * A version never goes down, and is one document: of two with the same version nobody can tell which is newer.
 * @throws MetadataError METADATA_ROLLBACK
 */
export function requireNotBelow(
  floor: Floor | undefined,
  role: string,
  seen: Pick<Floor, 'version' | 'signedHash'>,
): void {
  if (floor === undefined) return;
  if (seen.version < floor.version) throw below(role, floor.version, `version ${seen.version}`);
  if (seen.version === floor.version && seen.signedHash !== floor.signedHash) {
    throw new MetadataError(
      'METADATA_ROLLBACK',
      `${role}: expected the version ${floor.version} that was seen before, got another document with that version`,
    );
  }
}

export function below(role: string, version: number, got: string): MetadataError {
  return new MetadataError(
    'METADATA_ROLLBACK',
    `${role}: expected version ${version} or later, which was seen before, got ${got}`,
  );
}

/** The versions now relied on, and those of roles that cannot be seen just now but may come back. */
export function floorsOf(repository: Omit<Repository, 'floors'>, before: Floors): Floors {
  const floors = new Map(before);
  const { chain, timestamp, snapshot, targets, roles, links } = repository;
  floors.set('root', floorOf(chain.current, chain.signers));
  floors.set('timestamp', floorOf(timestamp, timestamp.signers));
  floors.set('snapshot', floorOf(snapshot, snapshot.signers));
  floors.set('targets', floorOf(targets, targets.signers));
  for (const children of links.values()) {
    for (const [name, link] of children) {
      const file = roles.get(name);
      if (file !== undefined && 'signers' in link) floors.set(name, floorOf(file, link.signers));
    }
  }
  return floors;
}

/** Whether a later root was seen, with which nothing else could be found good yet. */
export function isSuperseded({ current }: RootChain, floors: Floors): boolean {
  return current.metadata.version < (floors.get('root')?.version ?? 0);
}

/** The floors with a root that was seen, and nothing else of its repository. */
export function withRoot(floors: Floors, { current, signers }: RootChain): Floors {
  return new Map([...floors, ['root', floorOf(current, signers)]]);
}

function floorOf(
  { metadata, signedHash }: { readonly metadata: { readonly version: number }; readonly signedHash: string },
  signers: readonly Key[],
): Floor {
  return { version: metadata.version, signedHash, keys: signers.map(({ identity }) => identity ?? '') };
}

/**
 * Whether the operator has pinned the root of a repository that has nothing to do with the one that was seen: founded anew, since its
 * root keys were lost or worse. Then its versions begin where they begin. Not so for another root of the same repository, and never by
 * anything that a source says: the pin is the operator's.
 */
export function isAnotherRepository(
  { floors, lineage }: { readonly floors: Floors; readonly lineage: readonly string[] },
  pinned: RootFile,
): boolean {
  const root = floors.get('root');
  return root !== undefined && !lineage.includes(pinned.signedHash) && !holds(root, pinned.metadata.roles.root);
}
