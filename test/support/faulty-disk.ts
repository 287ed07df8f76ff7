/**
 * A disk on which something goes wrong at a chosen step, every step being one call that changes it:
 *
 *   const disk = new FaultyDisk({ crashAt: 3 });               // the third step is torn, and nothing after it happens
 *   const disk = new FaultyDisk({ crashAt: 'rename state' });  // the first step of that name
 *   const disk = new FaultyDisk({ failAt: 3 });                // the third step fails once: ENOSPC
 *   disk.steps                                      // ['makeFolder', 'write', ...]
 */
import { basename } from 'node:path';
import { type Disk, NODE_DISK } from '../../trust/state/disk.ts';

export interface DiskFault {
  readonly crashAt?: number | string;
  readonly failAt?: number | string;
  /** Instead of pretending: what a real crash does. */
  readonly crash?: () => void;
}

export class FaultyDisk implements Disk {
  readonly steps: string[] = [];
  readonly #fault: DiskFault;
  #crashed = false;

  constructor(fault: DiskFault = {}) {
    this.#fault = fault;
  }

  read(path: string): Promise<Uint8Array> {
    return NODE_DISK.read(path);
  }

  list(folder: string): Promise<readonly string[]> {
    return NODE_DISK.list(folder);
  }

  makeFolder(path: string): Promise<void> {
    return this.#step(`makeFolder ${basename(path)}`, () => NODE_DISK.makeFolder(path));
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    const torn = bytes.subarray(0, bytes.byteLength / 2);
    return this.#step(
      `write ${basename(path)}`,
      () => NODE_DISK.write(path, bytes),
      () => NODE_DISK.write(path, torn),
    );
  }

  writeLoosely(path: string, bytes: Uint8Array): Promise<void> {
    return this.#step(`writeLoosely ${basename(path)}`, () => NODE_DISK.writeLoosely(path, bytes));
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
    this.steps.push(name);
    const { crashAt, failAt, crash } = this.#fault;
    if (this.#isAt(failAt)) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    if (this.#crashed) throw new Error('the process has ended');
    if (!this.#isAt(crashAt)) return await work();
    this.#crashed = true;
    await torn?.();
    crash?.();
    throw new Error(`the process ended at ${name}`);
  }

  #isAt(step: number | string | undefined): boolean {
    if (typeof step === 'number') return step === this.steps.length;
    return step !== undefined && this.steps.indexOf(step) === this.steps.length - 1;
  }
}
