import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StateUnwritable } from '../state/state-unwritable.ts';
import { besideIt } from './state-files.ts';

const STAGING = 'staging-';

/**
 * A folder of its own for each run of tuf-js, which writes its files in place and without waiting for the disk: nothing of it is ever
 * read again by another run. Beside the state, where there is surely room to write; under the system's folder for who may not write there.
 */
export class Staging {
  readonly #beside: string | undefined;

  /** @param beside the folder of the state; undefined for one who only reads it */
  constructor(beside: string | undefined) {
    this.#beside = beside;
  }

  /** Does the work in a new folder that has these files, and removes it. @throws StateUnwritable */
  async within<T>(files: Readonly<Record<string, Uint8Array>>, work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.#make(files);
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What a process that was killed left behind. */
  async clear(): Promise<void> {
    if (this.#beside === undefined) return;
    const parent = dirname(this.#beside);
    const mark = basename(besideIt(this.#beside, STAGING));
    const names = await readdir(parent).catch(() => []); // no folder yet: nothing was left in it
    for (const name of names) {
      // What cannot be removed now is only in the way of nobody.
      if (name.startsWith(mark)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async #make(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const prefix = besideIt(this.#beside ?? join(tmpdir(), 'docklock'), STAGING);
    try {
      await mkdir(dirname(prefix), { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(prefix);
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
      return folder;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StateUnwritable(`a temporary folder for the refresh could not be made: ${why}`, { cause });
    }
  }
}
