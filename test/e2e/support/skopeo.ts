import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Has, Pulled } from './client.ts';
import { type Outcome, run, toolEnvironment } from './command.ts';
import { ACCEPT_ANYTHING, writeRegistriesConf } from './registries-conf.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** skopeo, copying all of an image, every platform of it, to a new folder each time. */
export class Skopeo implements Client {
  readonly name = 'skopeo';
  readonly skip = false;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(workspace: Workspace): Promise<Skopeo> {
    requireTool('skopeo');
    const folder = await workspace.folder('skopeo');
    await writeFile(join(folder, 'policy.json'), ACCEPT_ANYTHING);
    await writeFile(join(folder, 'registries.conf'), '');
    return new Skopeo(folder);
  }

  async pull(image: string, gateway: string): Promise<Pulled> {
    await writeRegistriesConf(join(this.#folder, 'registries.conf'), image, gateway);
    return await this.#pull(`docker://${image}`);
  }

  async pullDirectly(reference: string): Promise<Pulled> {
    await writeFile(join(this.#folder, 'registries.conf'), '');
    return await this.#pull('--src-tls-verify=false', `docker://${reference}`);
  }

  async #pull(...source: readonly string[]): Promise<Pulled> {
    const name = join(this.#folder, 'copy');
    await rm(name, { recursive: true, force: true });
    const { code, stdout, stderr } = await this.copy('--all', ...source, `dir:${name}`);
    if (code !== 0) return { ok: false, terminal: stderr + stdout };
    const manifest = await readFile(join(name, 'manifest.json'));
    return { ok: true, name, digest: `sha256:${createHash('sha256').update(manifest).digest('hex')}` };
  }

  async forget({ name }: Has): Promise<void> {
    await rm(name, { recursive: true, force: true });
  }

  /** `skopeo copy` with arguments of one's own. */
  async copy(...args: string[]): Promise<Outcome> {
    const settings = [
      ...['--policy', join(this.#folder, 'policy.json')],
      ...['--registries-conf', join(this.#folder, 'registries.conf')],
    ];
    return await run(requireTool('skopeo'), [...settings, 'copy', ...args], { env: toolEnvironment(this.#folder) });
  }
}
