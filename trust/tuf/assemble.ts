import type { EvidenceStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { type Envelope, openEnvelope, requireUnexpired, type TrustedFile, trustedFile } from './envelope.ts';
import { chainStep, fileStep } from './evidence.ts';
import { below, type Floor, type Floors, floorsOf, holds, requireNotBelow } from './floors.ts';
import { SNAPSHOT_LIMIT, TARGETS_LIMIT, TIMESTAMP_LIMIT } from './metadata-limits.ts';
import type { Links, Repository, SignedFile } from './repository.ts';
import { limitOf, openTargets, RoleReader } from './roles.ts';
import { type RootChain, TOP_ROLES, type TopRole } from './root-chain.ts';
import { requireThreshold } from './signature.ts';
import {
  type FileMeta,
  mismatchOf,
  parseSnapshot,
  parseTimestamp,
  requireMatch,
  type SnapshotMetadata,
} from './snapshot-metadata.ts';
import type { MetadataFiles } from './source.ts';
import { parseTargets } from './targets-metadata.ts';

export interface Assembly {
  readonly chain: RootChain;
  readonly files: MetadataFiles;
  readonly floors: Floors;
  /** What was trusted until now. */
  readonly previous: Repository | undefined;
  /** `anytime`: what is remembered is read back; its time is judged when it is used. */
  readonly at: Date | 'anytime';
}

/**
 * Puts a repository together under the root in force, TUF specification 5.4 to 5.6: timestamp, then snapshot, then targets, then
 * delegated roles; each is named by the one before, signed by its keys, not below what was seen before, and, last, not expired.
 * @throws MetadataError with what had been found good as its evidence
 */
export async function assemble(assembly: Assembly): Promise<Repository> {
  const steps: EvidenceStep[] = [chainStep(assembly.chain)];
  try {
    const repository = await read(assembly, steps);
    if (assembly.at !== 'anytime') requireCurrent(repository, assembly.at);
    return repository;
  } catch (error) {
    throw error instanceof MetadataError ? error.after(steps) : error;
  }
}

/** The first time at which a part that every judgement rests on is no longer good. */
export function coreExpiry({ chain, timestamp, snapshot, targets }: Repository): Date {
  const ends = [chain.current, timestamp, snapshot, targets].map(({ metadata }) => metadata.expires.getTime());
  return new Date(Math.min(...ends));
}

/** @throws MetadataError METADATA_EXPIRED */
export function requireCurrent({ chain, timestamp, snapshot, targets }: Repository, now: Date): void {
  requireUnexpired(chain.current.metadata.expires, now, 'root');
  requireUnexpired(timestamp.metadata.expires, now, 'timestamp');
  requireUnexpired(snapshot.metadata.expires, now, 'snapshot');
  requireUnexpired(targets.metadata.expires, now, 'targets');
}

async function read(assembly: Assembly, steps: EvidenceStep[]): Promise<Repository> {
  const { chain, files, floors, previous } = assembly;
  const { roles: keys, consistent } = chain.current.metadata;
  requireNotBelow(floors.get('root'), 'root', seen(chain.current));
  const rotated = isRotated(floors, chain);
  const floorOf = (role: 'timestamp' | 'snapshot' | 'targets'): Floor | undefined => {
    const floor = floors.get(role);
    return rotated && floor !== undefined && !holds(floor, keys[role]) ? undefined : floor;
  };

  const timestamp = await readTimestamp(assembly);
  requireNotBelow(floorOf('timestamp'), 'timestamp', seen(timestamp));
  steps.push(fileStep('timestamp', timestamp));

  const snapshot = await readSnapshot(assembly, timestamp.metadata.snapshot);
  requireNotBelow(floorOf('snapshot'), 'snapshot', seen(snapshot));
  if (previous !== undefined && !rotated) requireAllListed(previous.snapshot.metadata, snapshot.metadata);
  steps.push(fileStep('snapshot', snapshot));

  const targets = await readTargets(assembly, snapshot.metadata);
  requireNotBelow(floorOf('targets'), 'targets', seen(targets));
  steps.push(fileStep('targets', targets));

  const reader = new RoleReader({ snapshot: snapshot.metadata, consistent, floors, previous, files });
  const { roles, links } = await reader.readFrom(targets.metadata);
  const standing = standingFloors(floors, snapshot.metadata, links, rotated);
  const repository = { chain, timestamp, snapshot, targets, roles, links };
  return { ...repository, floors: floorsOf(repository, standing) };
}

/** Whether root has other keys now for timestamp or snapshot, so that those who signed them then no longer can. */
function isRotated(floors: Floors, { current }: RootChain): boolean {
  return (['timestamp', 'snapshot'] as const).some((role) => {
    const floor = floors.get(role);
    return floor !== undefined && !holds(floor, current.metadata.roles[role]);
  });
}

async function readTimestamp({ files, chain }: Assembly): Promise<Repository['timestamp']> {
  const bytes = await files.get({ role: 'timestamp' }, TIMESTAMP_LIMIT);
  if (bytes === undefined) throw noRepository();
  const names = ['meta'];
  const envelope = openEnvelope(bytes, { type: 'timestamp', limit: TIMESTAMP_LIMIT, where: 'timestamp', names });
  return signedFile(bytes, envelope, parseTimestamp(envelope), chain, 'timestamp');
}

async function readSnapshot(assembly: Assembly, meta: FileMeta): Promise<Repository['snapshot']> {
  const before = assembly.previous?.snapshot;
  if (before !== undefined && isUnchanged(assembly, before, meta)) return before;
  const bytes = await fetchNamed(assembly, 'snapshot', meta, SNAPSHOT_LIMIT);
  const names = ['meta'];
  const envelope = openEnvelope(bytes, { type: 'snapshot', limit: SNAPSHOT_LIMIT, where: 'snapshot', names });
  requireVersion(envelope, meta, 'snapshot');
  return signedFile(bytes, envelope, parseSnapshot(envelope), assembly.chain, 'snapshot');
}

async function readTargets(assembly: Assembly, snapshot: SnapshotMetadata): Promise<Repository['targets']> {
  const meta = snapshot.roles.get('targets');
  if (meta === undefined) throw new RangeError('expected targets in a snapshot that was parsed, got none');
  const before = assembly.previous?.targets;
  if (before !== undefined && isUnchanged(assembly, before, meta)) return before;
  const bytes = await fetchNamed(assembly, 'targets', meta, TARGETS_LIMIT);
  const envelope = openTargets(bytes, 'targets');
  requireVersion(envelope, meta, 'targets');
  return signedFile(bytes, envelope, parseTargets(envelope, 'targets'), assembly.chain, 'targets');
}

/** Under the same root, a file of the same version is the one that was found good; under another it is judged again. */
function isUnchanged({ previous, chain }: Assembly, before: TrustedFile, meta: FileMeta): boolean {
  return (
    previous?.chain.current.sha256 === chain.current.sha256 &&
    before.metadata.version === meta.version &&
    mismatchOf(before.bytes, meta) === undefined
  );
}

async function fetchNamed(
  { files, chain }: Assembly,
  role: TopRole,
  meta: FileMeta,
  most: number,
): Promise<Uint8Array> {
  const version = chain.current.metadata.consistent ? { version: meta.version } : {};
  const bytes = await files.get({ role, ...version }, limitOf(meta, role, most));
  if (bytes === undefined) {
    throw new MetadataError('METADATA_MISMATCH', `${role}: expected the file that was signed for, got 404 (not found)`);
  }
  requireMatch(bytes, meta, role);
  return bytes;
}

function signedFile<Metadata extends TrustedFile['metadata']>(
  bytes: Uint8Array,
  envelope: Envelope,
  metadata: Metadata,
  { current }: RootChain,
  role: TopRole,
): SignedFile<Metadata> {
  const signers = requireThreshold(envelope, current.metadata.roles[role], role);
  return { ...trustedFile(bytes, envelope, metadata), signers };
}

function requireVersion({ version }: Envelope, meta: FileMeta, role: string): void {
  if (version === meta.version) return;
  throw new MetadataError('METADATA_MISMATCH', `${role}: expected version ${meta.version}, got ${version}`);
}

/** TUF specification 5.5.5: no role's version goes down, and no role that was listed is dropped. */
function requireAllListed(before: SnapshotMetadata, after: SnapshotMetadata): void {
  for (const [role, { version }] of before.roles) {
    const meta = after.roles.get(role);
    if (meta === undefined) throw below(role, version, 'a snapshot without it');
    if (meta.version < version) throw below(role, version, `version ${meta.version} in the snapshot`);
  }
}

/** The floors of delegated roles that go on to hold. @throws MetadataError METADATA_ROLLBACK */
function standingFloors(
  floors: Floors,
  snapshot: SnapshotMetadata,
  links: ReadonlyMap<string, Links>,
  rotated: boolean,
): Floors {
  const standing = new Map(floors);
  for (const [role, floor] of floors) {
    if ((TOP_ROLES as readonly string[]).includes(role)) continue;
    const version = snapshot.roles.get(role)?.version;
    if (version !== undefined && version >= floor.version) continue;
    const stillSigns = [...links.values()].some((children) => {
      const link = children.get(role);
      return link !== undefined && holds(floor, link.keys);
    });
    if (!rotated || stillSigns)
      throw below(role, floor.version, version === undefined ? 'a snapshot without it' : `version ${version}`);
    standing.delete(role);
  }
  return standing;
}

export function noRepository(): MetadataError {
  return new MetadataError('NOT_SIGNED', 'there is no TUF repository: expected timestamp.json, got 404 (not found)');
}

function seen({ metadata, signedHash }: TrustedFile): Pick<Floor, 'version' | 'signedHash'> {
  return { version: metadata.version, signedHash };
}
