import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

const START_TIME_LIMIT_MS = 30_000;
/** dockerd and containerd take a second or two to put their things away; longer is stuck. */
const STOP_TIME_LIMIT_MS = 15_000;
const LOG_TAIL_LINES = 15;

export interface DaemonOptions {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that gets both its outputs. */
  readonly log: string;
  /** Whether it serves yet. Asked again and again, errors count as "not yet". */
  readonly ready: () => Promise<boolean>;
}

/** A server of the stage, started by us and ended by its own process id. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    this.#ended = once(child, 'exit');
    // Whether an error event came instead of an exit matters only to `start`, which looks for itself.
    this.#ended.catch(() => undefined);
  }

  /** @throws Error with the end of its log, when it stops or does not serve within the limit. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const child = spawn(options.file, options.args, {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(options.log, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const daemon = new Daemon(child, options.log);
    child.once('close', () => log.end());
    try {
      await until(`${options.name} to serve`, START_TIME_LIMIT_MS, async () => {
        if (!daemon.running) throw new Error(`expected ${options.name} to serve, it ended with ${child.exitCode}`);
        return (await options.ready().catch(() => false)) ? true : undefined;
      });
      return daemon;
    } catch (cause) {
      await daemon.kill();
      throw new Error(
        `${options.name} did not start: ${(await daemon.log()).split('\n').slice(-LOG_TAIL_LINES).join('\n')}`,
        {
          cause,
        },
      );
    }
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws Error when it is not running. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('expected a running daemon, it never started');
    return this.#child.pid;
  }

  async log(): Promise<string> {
    return await readFile(this.#log, 'utf8');
  }

  /** Asks it to end, waits, and insists when asking did not help. Answers its exit code. */
  async stop(): Promise<number | null> {
    if (!this.running) return this.#child.exitCode;
    process.kill(this.pid, 'SIGTERM');
    const insist = setTimeout(() => this.#killGroup(), STOP_TIME_LIMIT_MS);
    await this.#ended;
    clearTimeout(insist);
    this.#killGroup();
    return this.#child.exitCode;
  }

  /** Ends it, and all it started, at once, as a power cut would. */
  async kill(): Promise<void> {
    if (this.#child.pid === undefined) return;
    this.#killGroup();
    if (this.running) await this.#ended;
  }

  /** Sends a signal to it alone and does not wait. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async ended(): Promise<number | null> {
    if (this.running) await this.#ended;
    return this.#child.exitCode;
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: the whole group is gone, which is what was asked for.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
