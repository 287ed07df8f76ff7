import type { Client, Has, Pulled } from './client.ts';
import type { Dockerd } from './dockerd.ts';

/** `docker`, given the gateway's own name in front of the image's. */
export class Docker implements Client {
  readonly name = 'docker';
  readonly skip = false;
  readonly #machine: Dockerd;

  constructor(machine: Dockerd) {
    this.#machine = machine;
  }

  async pull(image: string, gateway: string): Promise<Pulled> {
    return await this.pullDirectly(`${gateway}/${image}`);
  }

  async pullDirectly(name: string): Promise<Pulled> {
    const { code, stdout, stderr } = await this.#machine.docker(['pull', name]);
    if (code !== 0) return { ok: false, terminal: stderr + stdout };
    const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1];
    if (digest === undefined) throw new Error(`expected docker to print a digest, got ${stdout}`);
    return { ok: true, name, digest };
  }

  async run({ name }: Has): Promise<string> {
    return await this.#machine.mustDocker(['run', '--rm', '--network=none', name]);
  }

  async forget({ name }: Has): Promise<void> {
    await this.#machine.mustDocker(['image', 'rm', '--force', name]);
  }
}
