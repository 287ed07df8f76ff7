import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import { type MetadataFileMeta, requireMatch } from './file-meta.ts';
import { ROLE_LIMIT } from './metadata-limits.ts';
import type { DelegationName, TargetsName } from './role-name.ts';
import { type RoleKeys, signersOf } from './signature.ts';
import type { SnapshotMetadata } from './snapshot-metadata.ts';
import { type Delegation, parseTargets } from './targets-metadata.ts';
import type { SkippedTargets, TrustedRepository, TrustedTargets } from './trusted-repository.ts';
import { type Floors, requireNotBelow } from './version-floor.ts';

/** What delegations are read from and judged by. */
export interface DelegationSource {
  readonly snapshot: SnapshotMetadata;
  readonly floors: Floors;
  readonly previous: TrustedRepository | undefined;
  file(role: TargetsName, meta: MetadataFileMeta): Promise<Uint8Array>;
}

export interface Delegations {
  readonly trusted: ReadonlyMap<DelegationName, TrustedTargets>;
  readonly skipped: ReadonlyMap<DelegationName, SkippedTargets>;
}

type Read = { readonly trusted: TrustedTargets } | { readonly skipped: SkippedTargets } | undefined;

interface Child {
  readonly delegation: Delegation;
  readonly paths: readonly string[];
}

/** Files fetched at once: quick for a repository of many delegations, bearable for its server. */
const AT_ONCE = 8;

/**
 * Reads the whole tree below `targets`, level by level. Names are one part longer at each level, so it has no circles.
 * A role that too few of its keys have signed is passed over, as Docker does; everything else that is wrong with one is
 * wrong with the repository. Expired ones are kept: whether they count is decided at each judgement.
 * @throws MetadataError
 */
export async function readDelegations(top: TrustedTargets, source: DelegationSource): Promise<Delegations> {
  const trusted = new Map<DelegationName, TrustedTargets>();
  const skipped = new Map<DelegationName, SkippedTargets>();
  let seen = 0;
  let level = childrenOf(top);
  while (level.length > 0) {
    seen += level.length;
    if (seen > ROLE_LIMIT) throw malformed('targets', `at most ${ROLE_LIMIT} delegations`, `${seen} or more`);
    const next: Child[] = [];
    for (let at = 0; at < level.length; at += AT_ONCE) {
      const batch = level.slice(at, at + AT_ONCE);
      const read = await Promise.all(batch.map((child) => readDelegation(child, source)));
      read.forEach((role, index) => {
        const name = batch[index]?.delegation.name;
        if (role === undefined || name === undefined) return;
        if ('skipped' in role) skipped.set(name, role.skipped);
        else {
          trusted.set(name, role.trusted);
          next.push(...childrenOf(role.trusted));
        }
      });
    }
    level = next;
  }
  return { trusted, skipped };
}

/** A child's prefixes count only within those of its parent: nobody can hand on more than they were given. */
function childrenOf(parent: TrustedTargets): Child[] {
  return parent.metadata.delegations.map((delegation) => ({
    delegation,
    paths: delegation.paths.filter((path) => parent.paths.some((allowed) => path.startsWith(allowed))),
  }));
}

async function readDelegation({ delegation, paths }: Child, source: DelegationSource): Promise<Read> {
  const { name } = delegation;
  const meta = source.snapshot.targets.get(name);
  if (meta === undefined) {
    requireNeverListed(name, source.previous);
    return undefined;
  }
  const bytes = await source.file(name, meta);
  requireMatch(bytes, meta, name);
  const sha256 = hexDigest('sha256', bytes);
  const metadata = parseTargets(bytes, name);
  const signers = signersOf(metadata, delegation.keys);
  if (signers.length < delegation.threshold) {
    const got = `expected valid signatures of ${delegation.threshold} of ${delegation.keys.length} keys, got ${signers.length}`;
    requireOtherKeys(delegation, source.previous, got);
    return { skipped: { bytes, sha256, why: `${name}: ${got}` } };
  }
  requireNotBelow(source.floors, name, { version: metadata.version, sha256 });
  return { trusted: { name, keys: delegation, paths, bytes, sha256, metadata, signers } };
}

/**
 * A delegation that exists but has not signed yet is listed nowhere. One that was listed and still is delegated must stay
 * listed: the server, which signs snapshots, could else drop `targets/releases` and let an older tag of `targets` show.
 */
function requireNeverListed(name: DelegationName, previous: TrustedRepository | undefined): void {
  if (previous?.snapshot.metadata.targets.has(name) !== true) return;
  throw new MetadataError(
    'METADATA_ROLLBACK',
    `snapshot: expected ${name}, which was listed before and is still delegated, got a snapshot without it`,
  );
}

/** For the same end the file could be exchanged for an unsigned one; honest ones lose signatures only when their keys change. */
function requireOtherKeys(delegation: Delegation, previous: TrustedRepository | undefined, got: string): void {
  const before = previous?.targets.get(delegation.name);
  if (before !== undefined && sameKeys(before.keys, delegation)) {
    throw new MetadataError('SIGNATURE_INVALID', `${delegation.name}, whose keys have not changed: ${got}`);
  }
}

function sameKeys(before: RoleKeys, after: RoleKeys): boolean {
  const ids = new Set(before.keys.map(({ id }) => id));
  return (
    before.threshold === after.threshold && ids.size === after.keys.length && after.keys.every(({ id }) => ids.has(id))
  );
}
