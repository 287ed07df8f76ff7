import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Has, Pulled } from './client.ts';
import { mustRun, type Outcome, run, toolEnvironment } from './command.ts';
import { CGROUP_PARENT } from './dockerd.ts';
import { ACCEPT_ANYTHING, writeRegistriesConf } from './registries-conf.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** podman with storage of its own; `registries.conf` rewrites the upstream to the gateway. */
export class Podman implements Client {
  readonly name = 'podman';
  readonly skip = false;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws CommandFailed where the machine cannot run it. */
  static async open(workspace: Workspace): Promise<Podman> {
    const folder = await workspace.folder('podman');
    const storage = { driver: 'overlay', graphroot: join(folder, 'root'), runroot: join(folder, 'run') };
    await writeFile(join(folder, 'storage.conf'), `[storage]\n${toml(storage)}`);
    const engine = { cgroup_manager: 'cgroupfs', events_logger: 'none', tmp_dir: join(folder, 'tmp') };
    await writeFile(join(folder, 'containers.conf'), `[engine]\n${toml(engine)}`);
    await writeFile(join(folder, 'policy.json'), ACCEPT_ANYTHING);
    await writeFile(join(folder, 'registries.conf'), '');
    const podman = new Podman(folder);
    await podman.#must('info');
    workspace.closing(() => podman.#must('system', 'reset', '--force'));
    return podman;
  }

  async pull(image: string, gateway: string): Promise<Pulled> {
    await writeRegistriesConf(join(this.#folder, 'registries.conf'), image, gateway);
    return await this.#pull(image);
  }

  async pullDirectly(reference: string): Promise<Pulled> {
    await writeFile(join(this.#folder, 'registries.conf'), '');
    return await this.#pull('--tls-verify=false', reference);
  }

  async run({ name }: Has): Promise<string> {
    // This machine may not raise its limits, which podman would try to.
    const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=4096:4096'];
    const place = ['--network=none', '--cgroup-parent', CGROUP_PARENT, '--pull=never'];
    return await this.#must('run', '--rm', ...place, ...limits, name);
  }

  async forget({ name }: Has): Promise<void> {
    await this.#must('image', 'rm', '--force', name);
  }

  async #pull(...args: readonly string[]): Promise<Pulled> {
    const policy = join(this.#folder, 'policy.json');
    const { code, stdout, stderr } = await this.#podman('pull', '--quiet', '--signature-policy', policy, ...args);
    if (code !== 0) return { ok: false, terminal: stderr + stdout };
    const name = stdout.trim();
    const digest = (await this.#must('image', 'inspect', '--format', '{{.Digest}}', name)).trim();
    return { ok: true, name, digest };
  }

  async #podman(...args: string[]): Promise<Outcome> {
    return await run(requireTool('podman'), args, { env: this.#env() });
  }

  async #must(...args: string[]): Promise<string> {
    return await mustRun(requireTool('podman'), args, { env: this.#env() });
  }

  #env(): NodeJS.ProcessEnv {
    return toolEnvironment(this.#folder, {
      CONTAINERS_CONF: join(this.#folder, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(this.#folder, 'storage.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.#folder, 'registries.conf'),
    });
  }
}

function toml(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');
}
