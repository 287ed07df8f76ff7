import { dirname, join } from 'node:path';
import { hexDigest } from '../metadata/hex-digest.ts';
import { atOnce } from '../refresh/at-once.ts';
import { type LoadedState, loadState } from './load-state.ts';
import { allFilesOf, type Repository } from './repository.ts';
import { lineageOf } from './root-chain.ts';
import { besideIt, REFRESHED, STATE, StateFiles, type StatePlace } from './state-files.ts';
import { encodeFloors, encodeRefreshed, encodeState, type Seen, type StateRecord } from './state-record.ts';

/** How often the time of a refresh that found nothing new is written: restarts may understate it by as much. */
const REFRESHED_EVERY_MS = 30_000;

/** Files under way to the disk at once: each is waited for, and there may be thousands. */
const WRITES_AT_ONCE = 16;

/**
 * Remembers one repository on disk, so that no restart makes older metadata acceptable.
 *
 *     <folder>/<sha256>    a metadata file, as it came, under the hash of its bytes
 *     <folder>/state       which of them belong together; highest versions; with a checksum
 *     <folder>/refreshed   time of the last refresh, which may be lost
 *     <floors>             outside the folder: number and hash of the last state relied on; highest versions; with a checksum
 *
 * The first state appears as a whole folder, by one rename. Each later one: new files, then `state`, then the record of versions, each
 * fsynced before the next; what is no longer named is removed last. So there is always a whole state, and when a record is missing, cut
 * or older than the other allows, that is damage: refused, never taken for a start. To remove the folder begins again at the
 * pinned root, and the record of versions keeps everything below what was seen from being accepted. One process writes.
 */
export class RepositoryStore {
  readonly #files: StateFiles;
  readonly #readOnly: boolean;
  #generation = 0;
  #isFounded = false;
  #state: string | undefined;
  #hasFloors = false;
  #refreshedWrittenAt = Number.NEGATIVE_INFINITY;

  constructor(place: StatePlace, readOnly: boolean) {
    this.#files = new StateFiles(place);
    this.#readOnly = readOnly;
  }

  /** @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable */
  async load(): Promise<LoadedState> {
    const loaded = await loadState(this.#files);
    if (loaded.unconfirmed !== undefined && loaded.seen !== undefined && !this.#readOnly) {
      await this.#confirm(loaded.generation, loaded.unconfirmed, loaded.seen);
    }
    this.#generation = loaded.generation;
    this.#isFounded = loaded.remembered !== undefined;
    this.#state = loaded.state;
    this.#hasFloors = loaded.seen !== undefined;
    return loaded;
  }

  /** As `load`, of one who only looks: nothing on disk changes, and nothing is built upon it. @throws MetadataError TRUST_STATE_DAMAGED */
  async peek(): Promise<LoadedState> {
    return await loadState(this.#files);
  }

  /**
   * Makes the repository the state that a restart finds. After a failure the disk has the old state or the new one;
   * whoever keeps one in memory should load again.
   * @throws StateUnwritable
   */
  async save(repository: Repository, refreshedAt: Date, renewedAt: Date): Promise<void> {
    if (this.#readOnly) return;
    const record = recordOf(repository, { generation: this.#generation + 1, refreshedAt, renewedAt });
    const contents = new Map(allFilesOf(repository).map(({ sha256, bytes }) => [sha256, bytes]));
    try {
      if (this.#isFounded) await this.#replace(record, contents);
      else await this.#found(record, contents);
    } catch (cause) {
      throw this.#files.unwritable(cause);
    }
    this.#generation = record.generation;
    this.#isFounded = true;
    this.#refreshedWrittenAt = refreshedAt.getTime();
  }

  /**
   * Remembers what was seen beyond the state: roots whose repository could not be found good.
   * @throws StateUnwritable
   */
  async see(seen: Seen): Promise<void> {
    if (this.#readOnly) return;
    try {
      await this.#files.replaceFloors(encodeFloors({ generation: this.#generation, state: this.#state, seen }));
    } catch (cause) {
      throw this.#files.unwritable(cause);
    }
    this.#hasFloors = true;
  }

  /** Remembers that a refresh found nothing new. @throws the disk's errors; nothing is wrong then but the time. */
  async touch(refreshedAt: Date): Promise<void> {
    const since = refreshedAt.getTime() - this.#refreshedWrittenAt;
    if (this.#readOnly || (since >= 0 && since < REFRESHED_EVERY_MS)) return;
    this.#refreshedWrittenAt = refreshedAt.getTime();
    const path = join(this.#files.folder, REFRESHED);
    await this.#files.disk.writeLoosely(`${path}.new`, encodeRefreshed(refreshedAt));
    await this.#files.disk.rename(`${path}.new`, path);
  }

  /** The first state: made aside, so that a crash on the way leaves nothing that could be taken for damage. */
  async #found(record: StateRecord, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { disk, folder } = this.#files;
    const aside = besideIt(folder, 'new');
    // A folder without a record of versions is damage, so the record comes first: that nothing was seen yet.
    if (this.#generation === 0 && !this.#hasFloors) {
      await this.#files.replaceFloors(encodeFloors({ generation: 0, state: undefined, seen: undefined }));
    }
    await disk.makeFolder(dirname(folder));
    await disk.remove(aside);
    await disk.makeFolder(aside);
    await atOnce(WRITES_AT_ONCE, contents, ([name, bytes]) => disk.write(join(aside, name), bytes));
    const state = encodeState(record);
    await disk.write(join(aside, STATE), state);
    await disk.syncFolder(aside);
    await disk.rename(aside, folder);
    await disk.syncFolder(dirname(folder));
    await this.#confirm(record.generation, state, record.seen);
  }

  async #replace(record: StateRecord, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const files = this.#files;
    const present = new Set(await files.disk.list(files.folder));
    const fresh = [...contents].filter(([name]) => !present.has(name));
    await atOnce(WRITES_AT_ONCE, fresh, ([name, bytes]) => files.replace(name, bytes));
    await files.sync();
    const state = encodeState(record);
    await files.replace(STATE, state);
    await files.sync();
    await this.#confirm(record.generation, state, record.seen);
    const named = new Set([STATE, REFRESHED, ...contents.keys()]);
    for (const name of present) if (!named.has(name)) await files.disk.remove(join(files.folder, name));
  }

  /** Before a state is relied on, the record of versions has to know of it. @throws StateUnwritable */
  async #confirm(generation: number, state: Uint8Array, seen: Seen): Promise<void> {
    try {
      this.#state = hexDigest('sha256', state);
      await this.#files.replaceFloors(encodeFloors({ generation, state: this.#state, seen }));
    } catch (cause) {
      throw this.#files.unwritable(cause);
    }
    this.#hasFloors = true;
  }
}

function recordOf(
  { chain, timestamp, snapshot, targets, roles, floors }: Repository,
  { generation, refreshedAt, renewedAt }: { generation: number; refreshedAt: Date; renewedAt: Date },
): StateRecord {
  return {
    generation,
    refreshedAt,
    roots: chain.roots.map(({ sha256 }) => sha256),
    timestamp: timestamp.sha256,
    snapshot: snapshot.sha256,
    targets: targets.sha256,
    roles: new Map([...roles.values()].map(({ name, sha256 }) => [name, sha256])),
    seen: { floors, lineage: lineageOf(chain), renewedAt },
  };
}
