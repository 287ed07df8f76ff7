/**
 * The publisher's disk, on which something goes wrong at a chosen step, every step being one call that changes it:
 *
 *   new FaultyDisk({ crashAt: 3 })    // the third step is torn, and nothing after it happens
 *   new FaultyDisk({ failAt: 3 })     // the third step fails once: ENOSPC
 *   disk.steps                        // ['write 2.targets.json', 'rename 2.targets.json', ...]
 */
import { basename } from 'node:path';
import { type Disk, NODE_DISK } from '../../../publish/disk.ts';

export class FaultyDisk implements Disk {
  readonly steps: string[] = [];
  readonly #crashAt: number | undefined;
  readonly #failAt: number | undefined;
  #crashed = false;

  constructor({ crashAt, failAt }: { crashAt?: number; failAt?: number } = {}) {
    this.#crashAt = crashAt;
    this.#failAt = failAt;
  }

  read(path: string): Promise<Uint8Array> {
    return NODE_DISK.read(path);
  }

  list(folder: string): Promise<readonly string[]> {
    return NODE_DISK.list(folder);
  }

  makeFolder(path: string, mode: number): Promise<void> {
    return this.#step(`makeFolder ${basename(path)}`, () => NODE_DISK.makeFolder(path, mode));
  }

  write(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    const torn = bytes.subarray(0, bytes.byteLength / 2);
    return this.#step(
      `write ${basename(path)}`,
      () => NODE_DISK.write(path, bytes, mode),
      () => NODE_DISK.write(path, torn, mode),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step(`rename ${basename(to)}`, () => NODE_DISK.rename(from, to));
  }

  syncFolder(path: string): Promise<void> {
    return this.#step('syncFolder', () => NODE_DISK.syncFolder(path));
  }

  remove(path: string): Promise<void> {
    return this.#step(`remove ${basename(path)}`, () => NODE_DISK.remove(path));
  }

  async #step(name: string, work: () => Promise<void>, torn?: () => Promise<void>): Promise<void> {
    if (this.#crashed) throw new Error('the process has ended');
    this.steps.push(name);
    if (this.steps.length === this.#failAt) {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
    if (this.steps.length !== this.#crashAt) return await work();
    this.#crashed = true;
    await torn?.();
    throw new Error(`the process ended at ${name}`);
  }
}
