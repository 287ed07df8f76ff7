import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Has, Pulled } from './client.ts';
import { mustRun, type Outcome, run, toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** containerd with storage of its own, driven by `ctr`; `hosts.toml` makes the gateway the upstream's server. */
export class Ctr implements Client {
  readonly name = 'ctr';
  readonly skip = false;
  readonly #folder: string;
  #containers = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws Error with the end of the daemon's log where the machine cannot run it. */
  static async start(workspace: Workspace): Promise<Ctr> {
    const folder = await workspace.folder('containerd');
    await writeFile(join(folder, 'config.toml'), configuration(folder));
    const ctr = new Ctr(folder);
    requireTool('ctr');
    const daemon = await Daemon.start({
      name: 'containerd',
      file: requireTool('containerd'),
      args: ['--config', join(folder, 'config.toml')],
      env: toolEnvironment(folder),
      log: join(folder, 'log'),
      ready: async () => (await ctr.#ctr('version')).code === 0,
    });
    workspace.closing(() => daemon.stop());
    return ctr;
  }

  async pull(image: string, gateway: string): Promise<Pulled> {
    return await this.#pull(image, '--hosts-dir', await this.#writeHosts(image, gateway));
  }

  /** Pulls with the gateway as a mirror, and the way on to the registry itself open: `env` says how that is reached. */
  async pullMirrored(image: string, mirror: string, env: NodeJS.ProcessEnv): Promise<Pulled> {
    const hosts = join(this.#folder, 'mirrored.d');
    const folder = join(hosts, image.slice(0, image.indexOf('/')));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'hosts.toml'), `[host."http://${mirror}"]\n  capabilities = ["pull", "resolve"]\n`);
    return await this.#pullWith(env, image, '--hosts-dir', hosts);
  }

  async pullDirectly(reference: string): Promise<Pulled> {
    return await this.#pull(reference, '--plain-http');
  }

  async run({ name }: Has): Promise<string> {
    this.#containers += 1;
    // Without a cgroup of its own nothing of it is left on the machine.
    return await this.#must('run', '--rm', '--cgroup', '', name, `c${this.#containers}`);
  }

  async forget({ name }: Has): Promise<void> {
    await this.#must('images', 'rm', '--sync', name);
  }

  async #pull(name: string, ...way: readonly string[]): Promise<Pulled> {
    return await this.#pullWith({}, name, ...way);
  }

  async #pullWith(env: NodeJS.ProcessEnv, name: string, ...way: readonly string[]): Promise<Pulled> {
    const pull = this.#address(['images', 'pull', ...way, name]);
    const { code, stdout, stderr } = await run(requireTool('ctr'), pull, { env: toolEnvironment(this.#folder, env) });
    if (code !== 0) return { ok: false, terminal: stderr + stdout };
    const line = (await this.#must('images', 'ls', `name==${name}`)).split('\n')[1] ?? '';
    const digest = /sha256:[0-9a-f]{64}(?=\s)/.exec(line.slice(name.length))?.[0];
    if (digest === undefined) throw new Error(`expected ctr to know ${name}, got ${line}`);
    return { ok: true, name, digest };
  }

  /** containerd 1.6 ignores a `server` that stands alone, and goes to the real upstream: hence both. */
  async #writeHosts(image: string, gateway: string): Promise<string> {
    const root = join(this.#folder, 'certs.d');
    const folder = join(root, image.slice(0, image.indexOf('/')));
    await mkdir(folder, { recursive: true });
    const host = `[host."http://${gateway}"]\n  capabilities = ["pull", "resolve"]\n`;
    await writeFile(join(folder, 'hosts.toml'), `server = "http://${gateway}"\n\n${host}`);
    return root;
  }

  async #ctr(...args: string[]): Promise<Outcome> {
    return await run(requireTool('ctr'), this.#address(args), { env: toolEnvironment(this.#folder) });
  }

  async #must(...args: string[]): Promise<string> {
    return await mustRun(requireTool('ctr'), this.#address(args), { env: toolEnvironment(this.#folder) });
  }

  #address(args: readonly string[]): string[] {
    return ['--address', join(this.#folder, 'c.sock'), ...args];
  }
}

function configuration(folder: string): string {
  return `version = 2
root = ${JSON.stringify(join(folder, 'root'))}
state = ${JSON.stringify(join(folder, 'state'))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${JSON.stringify(join(folder, 'c.sock'))}
[debug]
level = "warn"
[plugins."io.containerd.internal.v1.opt"]
path = ${JSON.stringify(join(folder, 'opt'))}
`;
}
