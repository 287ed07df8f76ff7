import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A Node process that runs a file of this folder; killed after the test at the latest. */
export class Child {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  static start(t: Pick<TestContext, 'after'>, script: string, args: readonly string[]): Child {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = spawn(execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const started = new Child(child, createInterface({ input: child.stdout }));
    t.after(() => started.kill());
    return started;
  }

  /** The next line it says; fails when it ends without one. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('expected a line from the child, got its end');
    return value;
  }

  /** SIGKILL: nothing of its own runs any more. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
