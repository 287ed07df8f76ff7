import { MetadataError } from '../metadata/metadata-error.ts';
import type { RoleName } from './role-name.ts';

/** The highest version of a role that was ever relied on, and the SHA-256 (hex) of the file that had it. */
export interface Floor {
  readonly version: number;
  readonly sha256: string;
}

export type Floors = ReadonlyMap<RoleName, Floor>;

/**
 * Versions never go down, not after a rotation of keys either: who holds the new keys of a timestamp may not undo what
 * its predecessor has shown (stricter than TUF's recovery from a fast-forward attack, as Notary's own client is). And
 * a version is one document: two of them cannot be told which is newer.
 * @throws MetadataError METADATA_ROLLBACK
 */
export function requireNotBelow(floors: Floors, role: RoleName, seen: Floor): void {
  const floor = floors.get(role);
  if (floor === undefined) return;
  if (seen.version < floor.version) {
    throw new MetadataError(
      'METADATA_ROLLBACK',
      `${role}: expected version ${floor.version} or later, which was seen before, got version ${seen.version}`,
    );
  }
  if (seen.version === floor.version && seen.sha256 !== floor.sha256) {
    throw new MetadataError(
      'METADATA_ROLLBACK',
      `${role}: expected the version ${floor.version} that was seen before, got another document with that version`,
    );
  }
}
