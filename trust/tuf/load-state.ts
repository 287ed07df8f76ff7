import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { assemble } from './assemble.ts';
import type { Repository } from './repository.ts';
import { linkRoots, readRoot } from './root-chain.ts';
import type { FileName, MetadataFiles } from './source.ts';
import { REFRESHED, STATE, type StateFiles } from './state-files.ts';
import {
  decodeFloors,
  decodeRefreshed,
  decodeState,
  type FloorsRecord,
  type Seen,
  type StateRecord,
} from './state-record.ts';

/** What was found on disk, whole and verified again. */
export interface LoadedState {
  /** None when the folder was removed: trust begins again at the pinned root, above the versions seen. */
  readonly remembered: { readonly repository: Repository; readonly refreshedAt: Date } | undefined;
  /** None when nothing was ever relied on. */
  readonly seen: Seen | undefined;
  readonly generation: number;
  /** SHA-256 in hex of the last state that was relied on. */
  readonly state: string | undefined;
  /** A crash came between the two records: that of the versions does not know this state yet. The bytes of the state. */
  readonly unconfirmed: Uint8Array | undefined;
}

/** How often a reader beside a writer begins again because the state was replaced under it. */
const READ_ATTEMPTS = 5;

/** @throws MetadataError TRUST_STATE_DAMAGED when anything is missing, cut, changed, or older than what was relied on */
export async function loadState(files: StateFiles): Promise<LoadedState> {
  for (let attempt = 1; ; attempt += 1) {
    // In this order: a writer replaces the state first, so one read after the record of versions is never the older of the two.
    const floors = await readFloors(files);
    const state = await files.read(STATE);
    const { seen, generation = 0, state: last } = floors ?? {};
    if (state === undefined && !(await files.exists()))
      return { remembered: undefined, seen, generation, state: last, unconfirmed: undefined };
    try {
      return await remembered(files, floors, state);
    } catch (cause) {
      // `docklock verify` reads beside a running gateway, which may just have removed files of the state it replaced.
      const replaced = !same(state, await files.read(STATE));
      if (!replaced || attempt >= READ_ATTEMPTS) throw files.damaged(cause);
    }
  }
}

async function readFloors(files: StateFiles): Promise<FloorsRecord | undefined> {
  const bytes = await files.readFloors();
  try {
    return bytes && decodeFloors(bytes);
  } catch (cause) {
    throw files.floorsDamaged(cause);
  }
}

async function remembered(
  files: StateFiles,
  floors: FloorsRecord | undefined,
  bytes: Uint8Array | undefined,
): Promise<LoadedState> {
  if (bytes === undefined) throw new RangeError(`expected the file ${STATE}, got none`);
  const record = decodeState(bytes);
  // It is written before the first state is: whoever removed it would have us forget the versions.
  if (floors === undefined) throw files.floorsDamaged(new RangeError('expected the file, got none'));
  // Rollback by way of the disk: a state put back from a backup knows lower versions than were relied on since.
  if (record.generation < floors.generation) {
    throw new RangeError(
      `expected state ${floors.generation} or later, got state ${record.generation}, which is older`,
    );
  }
  if (record.generation === floors.generation && hexDigest('sha256', bytes) !== floors.state) {
    throw new RangeError(`expected the state ${floors.generation} that was relied on, got another`);
  }
  const repository = await reassemble(files, record);
  return {
    remembered: { repository, refreshedAt: await lastRefresh(files, record) },
    // Roots may have been seen since the state was written.
    seen: record.generation > floors.generation ? record.seen : (floors.seen ?? record.seen),
    generation: record.generation,
    state: hexDigest('sha256', bytes),
    unconfirmed: record.generation > floors.generation ? bytes : undefined,
  };
}

/** Everything is verified again, as if it came from a server; only its age is not looked at. */
async function reassemble(files: StateFiles, record: StateRecord): Promise<Repository> {
  const roots = [];
  for (const name of record.roots) roots.push(readRoot(await readFile(files, name)));
  const stored: MetadataFiles = { get: async (file) => await readNamed(files, record, file) };
  const { floors } = record.seen;
  const repository = await assemble({
    chain: linkRoots(roots),
    files: stored,
    floors,
    previous: undefined,
    at: 'anytime',
  });
  return { ...repository, floors };
}

async function readNamed(files: StateFiles, record: StateRecord, { role }: FileName): Promise<Uint8Array | undefined> {
  const top: Readonly<Record<string, string>> = {
    timestamp: record.timestamp,
    snapshot: record.snapshot,
    targets: record.targets,
  };
  const name = Object.hasOwn(top, role) ? top[role] : record.roles.get(role);
  // A role that could not be got, or could not be used, when the state was written.
  return name === undefined ? undefined : await readFile(files, name);
}

async function readFile(files: StateFiles, name: string): Promise<Uint8Array> {
  const bytes = await files.read(name);
  if (bytes === undefined) throw new RangeError(`expected the file ${name}, got none`);
  if (hexDigest('sha256', bytes) !== name) throw new RangeError(`expected the file ${name} whole, got other bytes`);
  return bytes;
}

/** The later of the two times; a lost or cut one only makes us ask the source sooner. */
async function lastRefresh(files: StateFiles, { refreshedAt }: StateRecord): Promise<Date> {
  const bytes = await files.read(REFRESHED);
  if (bytes === undefined) return refreshedAt;
  try {
    const touched = decodeRefreshed(bytes);
    return touched > refreshedAt ? touched : refreshedAt;
  } catch (error) {
    if (error instanceof MetadataError) return refreshedAt;
    throw error;
  }
}

function same(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}
