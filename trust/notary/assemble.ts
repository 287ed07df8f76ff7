import type { EvidenceStep } from '../evidence.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Moment } from './certificate-chain.ts';
import { readDelegations } from './delegations.ts';
import { requireUnexpired } from './envelope.ts';
import { chainStep, fileStep } from './evidence.ts';
import { type MetadataFileMeta, requireMatch } from './file-meta.ts';
import type { Gun } from './gun.ts';
import { METADATA_LIMIT, REPOSITORY_LIMIT } from './metadata-limits.ts';
import { type DelegationName, parentOf, type RoleName, type TargetsName } from './role-name.ts';
import type { RootChain } from './root-chain.ts';
import { type RoleKeys, requireThreshold, type Signed } from './signature.ts';
import { parseSnapshot, parseTimestamp, type SnapshotMetadata } from './snapshot-metadata.ts';
import { parseTargets } from './targets-metadata.ts';
import { type TrustedFile, type TrustedRepository, type TrustedTargets, trustedFilesOf } from './trusted-repository.ts';
import { type Floor, type Floors, requireNotBelow } from './version-floor.ts';

/** Where files come from: a server, or a folder. The bytes are not believed. */
export interface FileSource {
  timestamp(): Promise<Uint8Array>;
  /** @throws MetadataError METADATA_MISMATCH when there is no such file */
  file(role: RoleName, meta: MetadataFileMeta): Promise<Uint8Array>;
}

export interface Assembly {
  readonly gun: Gun;
  readonly chain: RootChain;
  readonly source: FileSource;
  readonly floors: Floors;
  /** What was trusted until now. */
  readonly previous: TrustedRepository | undefined;
  /** `anytime`: what is remembered is read back; its time is judged when it is used. */
  readonly at: Moment;
}

/**
 * Puts a repository together under the root in force: timestamp, then snapshot, then targets, then delegations; each is
 * named with its hash by the one before, signed by its keys, not below the version seen before, and, last, not expired.
 * @returns `previous` itself when nothing has changed
 * @throws MetadataError with what had been found good as its evidence
 */
export async function assemble(assembly: Assembly): Promise<TrustedRepository> {
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
export function coreExpiry({ chain, timestamp, snapshot, targets }: TrustedRepository): Date {
  const files = [chain.current, timestamp, snapshot, targets.get('targets')];
  const ends = files.map((file) => file?.metadata.expires.getTime() ?? 0);
  return new Date(Math.min(...ends, chain.certifiedUntil.getTime()));
}

async function read(assembly: Assembly, steps: EvidenceStep[]): Promise<TrustedRepository> {
  const { gun, chain, source, floors, previous } = assembly;
  const { roles } = chain.current.metadata;
  const timestampBytes = await source.timestamp();
  const sameRoot = previous?.chain.current.sha256 === chain.current.sha256;
  const timestamp = trust(timestampBytes, parseTimestamp(timestampBytes), roles.timestamp, 'timestamp');
  requireNotBelow(floors, 'timestamp', floorOf(timestamp));
  steps.push(fileStep('timestamp', timestamp));
  if (previous?.chain === chain && previous.timestamp.sha256 === timestamp.sha256) return previous;
  const meta = timestamp.metadata.snapshot;
  if (previous !== undefined && sameRoot && previous.snapshot.sha256 === meta.sha256) {
    requireMatch(previous.snapshot.bytes, meta, 'snapshot');
    return withFloors({ ...previous, chain, timestamp }, floors);
  }
  const bytes = await fetchMatching(source, 'snapshot', meta);
  const snapshot = trust(bytes, parseSnapshot(bytes), roles.snapshot, 'snapshot');
  requireNotBelow(floors, 'snapshot', floorOf(snapshot));
  steps.push(fileStep('snapshot', snapshot));
  // Mix and match: a snapshot made for another root may list targets that this root's keys were not meant to vouch for.
  requireMatch(chain.current.bytes, snapshot.metadata.root, 'root');
  requireBearable(snapshot.metadata);
  const top = await readTargets(assembly, snapshot.metadata);
  steps.push(fileStep('targets', top));
  const { trusted, skipped } = await readDelegations(top, {
    snapshot: snapshot.metadata,
    floors,
    previous,
    file: (role, file) => source.file(role, file),
  });
  const targets = new Map<TargetsName, TrustedTargets>([['targets', top], ...trusted]);
  return withFloors({ gun, chain, timestamp, snapshot, targets, skipped, floors }, floors);
}

async function readTargets({ chain, source, floors }: Assembly, snapshot: SnapshotMetadata): Promise<TrustedTargets> {
  const meta = snapshot.targets.get('targets');
  if (meta === undefined) throw malformed('snapshot', 'targets in meta', 'none');
  const keys = chain.current.metadata.roles.targets;
  const bytes = await fetchMatching(source, 'targets', meta);
  const file = trust(bytes, parseTargets(bytes, 'targets'), keys, 'targets');
  requireNotBelow(floors, 'targets', floorOf(file));
  return { ...file, name: 'targets', keys, paths: [''] };
}

async function fetchMatching(source: FileSource, role: RoleName, meta: MetadataFileMeta): Promise<Uint8Array> {
  if (meta.length > METADATA_LIMIT) throw malformed(role, `at most ${METADATA_LIMIT} bytes`, `${meta.length}`);
  const bytes = await source.file(role, meta);
  requireMatch(bytes, meta, role);
  return bytes;
}

function trust<Metadata extends Signed & { readonly version: number }>(
  bytes: Uint8Array,
  metadata: Metadata,
  keys: RoleKeys,
  where: string,
): TrustedFile<Metadata> {
  return { bytes, sha256: hexDigest('sha256', bytes), metadata, signers: requireThreshold(metadata, keys, where) };
}

function requireBearable({ targets }: SnapshotMetadata): void {
  const sizes = [...targets.values()].map(({ length }) => length);
  const largest = Math.max(...sizes);
  if (largest > METADATA_LIMIT) throw malformed('snapshot', `files of at most ${METADATA_LIMIT} bytes`, `${largest}`);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > REPOSITORY_LIMIT) throw malformed('snapshot', `at most ${REPOSITORY_LIMIT} bytes in all`, `${total}`);
}

function requireCurrent(repository: TrustedRepository, now: Date): void {
  const { chain, timestamp, snapshot, targets } = repository;
  requireUnexpired(chain.current.metadata.expires, now, 'root');
  requireUnexpired(chain.certifiedUntil, now, 'the certificate of the root key');
  requireUnexpired(timestamp.metadata.expires, now, 'timestamp');
  requireUnexpired(snapshot.metadata.expires, now, 'snapshot');
  requireUnexpired(targets.get('targets')?.metadata.expires ?? new Date(0), now, 'targets');
}

/** The versions now relied on, and those of delegations that cannot be seen just now but may come back. */
function withFloors(repository: TrustedRepository, before: Floors): TrustedRepository {
  const floors = new Map(before);
  for (const role of before.keys()) {
    if (role.startsWith('targets/') && isGivenUp(role as DelegationName, repository.targets)) floors.delete(role);
  }
  floors.set('root', floorOf(repository.chain.current));
  for (const [role, file] of trustedFilesOf(repository)) floors.set(role, floorOf(file));
  return { ...repository, floors };
}

/** Its parent, or a parent's parent, which we see, no longer delegates: a role made anew under that name begins at 1. */
function isGivenUp(role: DelegationName, targets: ReadonlyMap<TargetsName, TrustedTargets>): boolean {
  let name: TargetsName = role;
  while (name !== 'targets') {
    const child: DelegationName = name;
    const parent: TargetsName = parentOf(child);
    const delegations = targets.get(parent)?.metadata.delegations;
    if (delegations !== undefined && !delegations.some((delegation) => delegation.name === child)) return true;
    name = parent;
  }
  return false;
}

function floorOf({ sha256, metadata }: { sha256: string; metadata: { version: number } }): Floor {
  return { version: metadata.version, sha256 };
}
