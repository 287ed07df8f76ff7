import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Set by run.ts: the folder that everything of one run lives in, and that run.ts removes at the end, whatever happened. */
const ROOT = process.env.DOCKLOCK_E2E_ROOT;

/** One test file's folder, and what has to be ended before it goes. */
export class Workspace {
  readonly path: string;
  readonly #endings: (() => Promise<unknown>)[] = [];
  #folders = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws Error outside of `npm run test:e2e`, which is what isolates the tools from the machine. */
  static async open(): Promise<Workspace> {
    if (ROOT === undefined) throw new Error('expected to be started by `npm run test:e2e -- [FILE...]`');
    // Short names: a unix socket's path has to stay below 108 bytes.
    return new Workspace(await mkdtemp(join(ROOT, 'w-')));
  }

  /** A new, empty folder. */
  async folder(name: string): Promise<string> {
    this.#folders += 1;
    const path = join(this.path, `${name}-${this.#folders}`);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Remembers what must be ended; the youngest is ended first. */
  closing(end: () => Promise<unknown>): void {
    this.#endings.push(end);
  }

  /** Ends everything, also when one ending fails. @throws AggregateError of those that failed. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const end of this.#endings.splice(0).reverse()) {
      await end().catch((error: unknown) => errors.push(error));
    }
    // Mount points of containers may outlive a killed daemon; run.ts removes those with their namespace.
    await rm(this.path, { recursive: true, force: true }).catch(() => undefined);
    if (errors.length > 0) throw new AggregateError(errors, 'the stage could not be put away');
  }
}
