import { writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { type Outcome, run, toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { onFreePort } from './port.ts';
import type { Workspace } from './workspace.ts';

/** Of this checkout. */
const CHECKOUT = join(import.meta.dirname, '../../..');
/** The command itself, as this checkout has it. */
export const DOCKLOCK = join(CHECKOUT, 'bin/docklock.ts');

/** docklock.yaml without `listen` and `data`, which the test stage chooses. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly phrase: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Denial {
  readonly status: number;
  readonly phrase: string;
  readonly code: string;
  readonly message: string;
  readonly reason: string;
}

/** DockLock itself, as `docklock serve` in a process of its own. */
export class Gateway {
  /** `127.0.0.1:port`, also after a restart. */
  readonly address: string;
  readonly #folder: string;
  readonly #begin: (env: NodeJS.ProcessEnv) => Promise<Daemon>;
  #daemon: Daemon;

  private constructor(
    address: string,
    folder: string,
    begin: (env: NodeJS.ProcessEnv) => Promise<Daemon>,
    daemon: Daemon,
  ) {
    this.address = address;
    this.#folder = folder;
    this.#begin = begin;
    this.#daemon = daemon;
  }

  /**
   * @param env more environment for the process, such as another clock
   * @param listeners more of them, beside the one at `address`
   */
  static async start(
    workspace: Workspace,
    configuration: Configuration,
    env: NodeJS.ProcessEnv = {},
    listeners: readonly object[] = [],
  ): Promise<Gateway> {
    const folder = await workspace.folder('docklock');
    const gateway = await onFreePort(async (port) => {
      const address = `127.0.0.1:${port}`;
      const config = join(folder, 'docklock.yaml');
      // JSON is YAML.
      await writeFile(
        config,
        JSON.stringify({ listen: [address, ...listeners], data: join(folder, 'data'), ...configuration }),
      );
      const begin = (more: NodeJS.ProcessEnv) =>
        Daemon.start({
          name: 'docklock',
          file: process.execPath,
          args: [DOCKLOCK, 'serve', '--config', config],
          env: toolEnvironment(folder, more),
          log: join(folder, 'log'),
          ready: async () => (await ask(address, 'GET', '/v2/')).status === 200,
        });
      return new Gateway(address, folder, begin, await begin(env));
    });
    workspace.closing(() => gateway.stop());
    return gateway;
  }

  /** The process. */
  get process(): Daemon {
    return this.#daemon;
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }

  /**
   * Serves again with the same configuration and data, whatever ended it before.
   * @param env more environment for the new process
   */
  async restart(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.stop();
    this.#daemon = await this.#begin(env);
  }

  async log(): Promise<string> {
    return await this.#daemon.log();
  }

  async ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await ask(this.address, method, path, headers);
  }

  async manifest(name: string, reference: string, method = 'GET'): Promise<Answer> {
    return await this.ask(method, `/v2/${name}/manifests/${reference}`);
  }

  /**
   * A single-platform image, all of it: the manifest, then its config and layers. Answers the digests of these.
   * @throws Error at the first that is not served
   */
  async pull(name: string, reference: string): Promise<readonly string[]> {
    const manifest = await this.manifest(name, reference);
    if (manifest.status !== 200) throw new Error(`expected ${name}:${reference}, got ${manifest.status}`);
    const digests = listedIn(manifest.body);
    for (const digest of digests) {
      const { status } = await this.ask('GET', `/v2/${name}/blobs/${digest}`);
      if (status !== 200) throw new Error(`expected ${digest} of ${name}:${reference}, got ${status}`);
    }
    return digests;
  }

  /** How it denies `corp.example/acme/app:1`. @throws Error when it does not. */
  async denial(image: string): Promise<Denial> {
    const { name, reference } = splitImage(image);
    const { status, phrase, body } = await this.manifest(name, reference);
    if (status < 400) throw new Error(`expected ${image} to be denied, got ${status}`);
    const [error] = JSON.parse(body.toString('utf8')).errors;
    const { code, message, detail } = error;
    return { status, phrase, code, message, reason: String(detail?.reason) };
  }

  /** `docklock verify IMAGE`, with the same configuration. */
  async verify(image: string, ...args: string[]): Promise<Outcome> {
    return await this.#docklock('verify', image, ...args);
  }

  /** `docklock status`, with the same configuration. */
  async status(...args: string[]): Promise<Outcome> {
    return await this.#docklock('status', ...args);
  }

  /** Where the process keeps what it remembers. */
  get data(): string {
    return join(this.#folder, 'data');
  }

  async #docklock(command: string, ...args: string[]): Promise<Outcome> {
    const config = ['--config', join(this.#folder, 'docklock.yaml')];
    return await run(process.execPath, [DOCKLOCK, command, ...args, ...config], { env: toolEnvironment(this.#folder) });
  }
}

/** Digests of an image's config and layers. */
function listedIn(manifest: Buffer): readonly string[] {
  const { config, layers } = JSON.parse(manifest.toString('utf8'));
  return [config, ...layers].map(({ digest }: { digest: string }) => digest);
}

function splitImage(image: string): { name: string; reference: string } {
  const digest = image.indexOf('@');
  const at = digest === -1 ? image.lastIndexOf(':') : digest;
  return { name: image.slice(0, at), reference: image.slice(at + 1) };
}

/** One request on a connection of its own, with the path as it was given: `fetch` would tidy it up. */
function ask(
  address: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, method, path, headers: { host: address, ...headers }, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            phrase: answer.statusMessage ?? '',
            headers: answer.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}
