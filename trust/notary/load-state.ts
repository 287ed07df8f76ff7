import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { assemble } from './assemble.ts';
import { linkRoots, readRoot } from './root-chain.ts';
import { GENERATION, REFRESHED, STATE, type StateFolder } from './state-folder.ts';
import { decodeGeneration, decodeRefreshed, decodeState, type StateRecord } from './state-record.ts';
import type { TrustedRepository } from './trusted-repository.ts';

/** A state as it was found on disk, whole and verified again. */
export interface LoadedState {
  readonly repository: TrustedRepository;
  /** Never later than the last refresh that succeeded; after a crash it may be earlier. */
  readonly refreshedAt: Date;
  readonly generation: number;
  /** A crash came between the two records: the second does not know this state yet. The bytes of the state. */
  readonly unconfirmed: Uint8Array | undefined;
}

/** How often a reader beside a writer begins again because the state was replaced under it. */
const READ_ATTEMPTS = 5;

/**
 * @returns `undefined` when there is no folder: nothing was ever remembered
 * @throws MetadataError TRUST_STATE_DAMAGED when anything of it is missing, cut, changed, or older than what was relied on
 */
export async function loadState(folder: StateFolder): Promise<LoadedState | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    // In this order: a writer replaces the state first, so one read after its generation is never the older of the two.
    const generation = await folder.read(GENERATION);
    const state = await folder.read(STATE);
    if (generation === undefined && state === undefined && !(await folder.exists())) return undefined;
    try {
      return await remembered(folder, generation, state);
    } catch (cause) {
      // `docklock verify` reads beside a running gateway, which may just have removed files of the state it replaced.
      const replaced = !same(state, await folder.read(STATE));
      if (!replaced || attempt >= READ_ATTEMPTS) throw folder.damaged(cause);
    }
  }
}

async function remembered(
  folder: StateFolder,
  generationBytes: Uint8Array | undefined,
  stateBytes: Uint8Array | undefined,
): Promise<LoadedState> {
  if (generationBytes === undefined) throw new RangeError(`expected the file ${GENERATION}, got none`);
  if (stateBytes === undefined) throw new RangeError(`expected the file ${STATE}, got none`);
  const record = decodeState(stateBytes);
  const last = decodeGeneration(generationBytes);
  // Rollback by way of the disk: a state put back from a backup knows lower versions than were relied on since.
  if (record.generation < last.generation) {
    throw new RangeError(`expected state ${last.generation} or later, got state ${record.generation}`);
  }
  if (record.generation === last.generation && hexDigest('sha256', stateBytes) !== last.state) {
    throw new RangeError(`expected the state ${last.generation} that was relied on, got another`);
  }
  if (record.gun !== folder.gun) throw new RangeError(`expected the state of ${folder.gun}, got that of ${record.gun}`);
  return {
    repository: await reassemble(folder, record),
    refreshedAt: await lastRefresh(folder, record),
    generation: record.generation,
    unconfirmed: record.generation > last.generation ? stateBytes : undefined,
  };
}

/** Everything is verified again, as if it came from a server; only its age is not looked at. */
async function reassemble(folder: StateFolder, record: StateRecord): Promise<TrustedRepository> {
  const { floors, timestamp } = record;
  const files = new Map<string, Uint8Array>();
  for (const name of new Set([...record.roots, ...record.files])) files.set(name, await readFile(folder, name));
  const named = (sha256: string): Uint8Array => {
    const bytes = files.get(sha256);
    if (bytes === undefined) throw new RangeError(`expected the file ${sha256} in the state, got none`);
    return bytes;
  };
  const roots = record.roots.map((root) => readRoot(named(root)));
  const repository = await assemble({
    gun: folder.gun,
    chain: linkRoots(roots, folder.gun, 'anytime'),
    source: { timestamp: async () => named(timestamp), file: async (_, { sha256 }) => named(sha256) },
    floors,
    previous: undefined,
    at: 'anytime',
  });
  return { ...repository, floors };
}

async function readFile(folder: StateFolder, name: string): Promise<Uint8Array> {
  const bytes = await folder.read(name);
  if (bytes === undefined) throw new RangeError(`expected the file ${name}, got none`);
  if (hexDigest('sha256', bytes) !== name) throw new RangeError(`expected the file ${name} whole, got other bytes`);
  return bytes;
}

/** The later of the two times; a lost or cut one only makes us ask the server sooner. */
async function lastRefresh(folder: StateFolder, { refreshedAt }: StateRecord): Promise<Date> {
  const bytes = await folder.read(REFRESHED);
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
