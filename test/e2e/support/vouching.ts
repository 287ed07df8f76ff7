import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, mustRun, run, toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { DOCKLOCK } from './gateway.ts';
import { onFreePort } from './port.ts';
import type { Workspace } from './workspace.ts';

/** Not a secret: the keys it locks live as long as the test. */
const PASSPHRASE = { DOCKLOCK_PASSPHRASE: 'passphrase of a test' };

/** For how long each role is good, as `repository.json` has it. */
export type Periods = Readonly<Record<'root' | 'targets' | 'snapshot' | 'timestamp', string>>;

/** Metadata by the names of the files, as clients get them. */
export type Moment = ReadonlyMap<string, Buffer>;

/** A TUF repository of images in a folder, founded and kept by `docklock tuf` and `docklock vouch`, each a process of its own. */
export class Vouching {
  readonly folder: string;
  readonly #workspace: Workspace;
  /** Where the upstreams are. */
  readonly #config: string;

  private constructor(workspace: Workspace, folder: string, config: string) {
    this.#workspace = workspace;
    this.folder = folder;
    this.#config = config;
  }

  /** @param init options of `docklock tuf init` */
  static async found(workspace: Workspace, upstreams: object, ...init: readonly string[]): Promise<Vouching> {
    const home = await workspace.folder('vouching');
    const config = join(home, 'docklock.yaml');
    // JSON is YAML.
    await writeFile(config, JSON.stringify({ data: join(home, 'data'), upstreams }));
    const vouching = new Vouching(workspace, join(home, 'trust'), config);
    await vouching.must('tuf', 'init', vouching.folder, ...init);
    return vouching;
  }

  /** The file that a gateway is given, once. */
  get root(): string {
    return join(this.folder, 'metadata', '1.root.json');
  }

  /** `docklock vouch IMAGE... --yes`, or with `--withdraw`, `--diff` and the like among them. */
  async vouch(...args: readonly string[]): Promise<string> {
    return await this.must(...this.#vouchArgs(args));
  }

  async tryVouch(...args: readonly string[]): Promise<Outcome> {
    return await this.run(...this.#vouchArgs(args));
  }

  /** A command of `docklock tuf` on this repository: `tuf('rotate', 'targets', '--yes')`. */
  async tuf(command: string, ...args: readonly string[]): Promise<string> {
    if (command === 'refresh' || command === 'show') return await this.must('tuf', command, this.folder, ...args);
    return await this.must('tuf', command, ...args, '--repository', this.folder);
  }

  /** `docklock tuf sign` for a file that waits for signatures. */
  async sign(file: string, ...args: readonly string[]): Promise<string> {
    return await this.must('tuf', 'sign', join(this.folder, 'staged', file), '--yes', ...args);
  }

  /** A command of docklock, whatever comes of it. */
  async run(...args: readonly string[]): Promise<Outcome> {
    return await run(process.execPath, [DOCKLOCK, ...args], { env: this.#env() });
  }

  /** @throws CommandFailed with everything it said */
  async must(...args: readonly string[]): Promise<string> {
    return await mustRun(process.execPath, [DOCKLOCK, ...args], { env: this.#env() });
  }

  /** The whole folder as it is now, keys included, on another medium: a backup, or what a thief of the machine has. */
  async copy(): Promise<Vouching> {
    const folder = join(await this.#workspace.folder('copy'), 'trust');
    await cp(this.folder, folder, { recursive: true });
    return new Vouching(this.#workspace, folder, this.#config);
  }

  /** From the next signature on. */
  async signsFor(periods: Periods): Promise<void> {
    await writeFile(join(this.folder, 'repository.json'), JSON.stringify({ format: 1, expires: periods }));
  }

  /** Takes all private keys away: what a person gets who is passed the files only. */
  async withoutKeys(): Promise<this> {
    await rm(join(this.folder, 'keys'), { recursive: true });
    return this;
  }

  /** What clients are shown now. */
  async moment(): Promise<Moment> {
    const names = await readdir(join(this.folder, 'metadata'));
    return new Map(await Promise.all(names.map(async (name) => [name, await this.read('metadata', name)] as const)));
  }

  /** Puts a metadata file of another copy into this folder, to be published as the documents say: by the next signature. */
  async take(from: Vouching, name: string): Promise<void> {
    await cp(join(from.folder, 'metadata', name), join(this.folder, 'metadata', name));
  }

  async read(...path: readonly string[]): Promise<Buffer> {
    return await readFile(join(this.folder, ...path));
  }

  /** `docklock tuf serve`, until it is stopped or the stage is put away. */
  async serve(): Promise<{ readonly url: string; readonly daemon: Daemon }> {
    const served = await onFreePort(async (port) => {
      const url = `http://127.0.0.1:${port}`;
      const daemon = await Daemon.start({
        name: 'docklock tuf serve',
        file: process.execPath,
        args: [DOCKLOCK, 'tuf', 'serve', this.folder, '--listen', `127.0.0.1:${port}`],
        // Without the passphrase: a server has the keys in keys/online, and no others.
        env: toolEnvironment(this.folder),
        log: join(await this.#workspace.folder('tuf-serve'), 'log'),
        ready: async () => (await fetch(`${url}/healthz`)).status === 200,
      });
      return { url: `${url}/metadata/`, daemon };
    });
    this.#workspace.closing(() => served.daemon.stop());
    return served;
  }

  #vouchArgs(args: readonly string[]): readonly string[] {
    const asks = args.some((arg) => arg === '--diff' || arg === '--list');
    return ['vouch', ...args, '--repository', this.folder, '--config', this.#config, ...(asks ? [] : ['--yes'])];
  }

  /** What Node has compiled once serves the next command: there are dozens, each of them short. */
  #env(): NodeJS.ProcessEnv {
    return toolEnvironment(this.folder, {
      ...PASSPHRASE,
      NODE_COMPILE_CACHE: join(this.#workspace.path, 'compile-cache'),
    });
  }
}

/** A collaborator's key pair, made by `docklock tuf key`. */
export interface KeyPair {
  readonly key: string;
  readonly pub: string;
}

export async function makeKey(workspace: Workspace, name: string): Promise<KeyPair> {
  const home = await workspace.folder('person');
  const key = join(home, `${name}.pem`);
  await mustRun(process.execPath, [DOCKLOCK, 'tuf', 'key', key], { env: toolEnvironment(home, PASSPHRASE) });
  return { key, pub: join(home, `${name}.pub`) };
}
