import { join } from 'node:path';
import { hexDigest } from '../metadata/hex-digest.ts';
import type { Disk } from '../state/disk.ts';
import type { Gun } from './gun.ts';
import { type LoadedState, loadState } from './load-state.ts';
import { GENERATION, REFRESHED, STATE, StateFolder } from './state-folder.ts';
import { encodeGeneration, encodeRefreshed, encodeState, type StateRecord } from './state-record.ts';
import { allFilesOf, type TrustedRepository } from './trusted-repository.ts';

/** How often the time of a refresh that found nothing new is written: restarts may understate it by as much. */
const REFRESHED_EVERY_MS = 30_000;

/**
 * Remembers one repository on disk, in a folder of its own, so that no restart makes older metadata acceptable.
 *
 *     <sha256>     a metadata file, as it came, under the hash of its bytes
 *     state        which of them belong together; highest versions; with a checksum
 *     generation   number and hash of the last state relied on; with a checksum
 *     refreshed    time of the last refresh, which may be lost
 *
 * The first state appears as a whole folder, by one rename. Each later one: new files, then `state`, then `generation`,
 * each fsynced before the next; what is no longer named is removed last. So there is always a whole state, and when one
 * of the two records is missing, cut or older than the other allows, that is damage: refused, never taken for a start.
 * The one way to start anew is to remove the whole folder. One process writes to it; readers may stand beside.
 */
export class RepositoryStore {
  readonly #folder: StateFolder;
  readonly #readOnly: boolean;
  #generation = 0;
  #refreshedWrittenAt = Number.NEGATIVE_INFINITY;

  constructor(parent: string, gun: Gun, access: { readonly disk: Disk; readonly readOnly: boolean }) {
    this.#folder = new StateFolder(parent, gun, access.disk);
    this.#readOnly = access.readOnly;
  }

  /**
   * @returns `undefined` when nothing was ever remembered
   * @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable
   */
  async load(): Promise<Pick<LoadedState, 'repository' | 'refreshedAt'> | undefined> {
    const loaded = await loadState(this.#folder);
    if (loaded?.unconfirmed !== undefined && !this.#readOnly)
      await this.#confirm(loaded.generation, loaded.unconfirmed);
    this.#generation = loaded?.generation ?? 0;
    return loaded;
  }

  /**
   * Makes the repository the state that a restart finds. After a failure the disk has the old state or the new one;
   * whoever keeps one in memory should load again.
   * @throws StateUnwritable
   */
  async save(repository: TrustedRepository, refreshedAt: Date): Promise<void> {
    if (this.#readOnly) return;
    const files = allFilesOf(repository);
    const record: StateRecord = {
      gun: this.#folder.gun,
      generation: this.#generation + 1,
      refreshedAt,
      roots: repository.chain.roots.map(({ sha256 }) => sha256),
      files: files.map(({ sha256 }) => sha256),
      timestamp: repository.timestamp.sha256,
      floors: repository.floors,
    };
    const contents = new Map(files.map(({ sha256, bytes }) => [sha256, bytes]));
    try {
      if (this.#generation === 0) await this.#found(record, contents);
      else await this.#replace(record, contents);
    } catch (cause) {
      throw this.#folder.unwritable(cause);
    }
    this.#generation = record.generation;
    this.#refreshedWrittenAt = refreshedAt.getTime();
  }

  /** Remembers that a refresh found nothing new. @throws the disk's errors; nothing is wrong then but the time. */
  async touch(refreshedAt: Date): Promise<void> {
    const since = refreshedAt.getTime() - this.#refreshedWrittenAt;
    if (this.#readOnly || (since >= 0 && since < REFRESHED_EVERY_MS)) return;
    this.#refreshedWrittenAt = refreshedAt.getTime();
    const path = join(this.#folder.path, REFRESHED);
    await this.#folder.disk.writeLoosely(`${path}.new`, encodeRefreshed(refreshedAt));
    await this.#folder.disk.rename(`${path}.new`, path);
  }

  /** The first state: made aside, so that a crash on the way leaves nothing that could be taken for damage. */
  async #found(record: StateRecord, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { disk, parent, path } = this.#folder;
    const aside = `${path}.new`;
    const state = encodeState(record);
    await disk.makeFolder(parent);
    await disk.remove(aside);
    await disk.makeFolder(aside);
    for (const [name, bytes] of contents) await disk.write(join(aside, name), bytes);
    await disk.write(join(aside, STATE), state);
    await disk.write(join(aside, GENERATION), generationOf(record.generation, state));
    await disk.syncFolder(aside);
    await disk.rename(aside, path);
    await disk.syncFolder(parent);
  }

  async #replace(record: StateRecord, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const folder = this.#folder;
    const present = new Set(await folder.disk.list(folder.path));
    for (const [name, bytes] of contents) if (!present.has(name)) await folder.replace(name, bytes);
    await folder.sync();
    const state = encodeState(record);
    await folder.replace(STATE, state);
    await folder.sync();
    await this.#confirm(record.generation, state);
    const named = new Set([STATE, GENERATION, REFRESHED, ...contents.keys()]);
    for (const name of present) if (!named.has(name)) await folder.disk.remove(join(folder.path, name));
  }

  /** Before a state is relied on, the second record has to know of it. @throws StateUnwritable */
  async #confirm(generation: number, state: Uint8Array): Promise<void> {
    try {
      await this.#folder.replace(GENERATION, generationOf(generation, state));
      await this.#folder.sync();
    } catch (cause) {
      throw this.#folder.unwritable(cause);
    }
  }
}

function generationOf(generation: number, state: Uint8Array): Buffer {
  return encodeGeneration({ generation, state: hexDigest('sha256', state) });
}
