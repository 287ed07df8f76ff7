import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed } from './command.ts';
import type { DockerRegistry } from './docker-registry.ts';
import type { Dockerd, DockerOptions } from './dockerd.ts';
import { ENTRYPOINT, type ImageContent, packImage } from './image-archive.ts';
import type { NotaryServer } from './notary-server.ts';
import { findTools } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** Where a publisher works. */
export interface Workplace {
  readonly workspace: Workspace;
  readonly machine: Dockerd;
  readonly registry: DockerRegistry;
  readonly notary: NotaryServer;
}

/** Not secrets: the keys they lock live as long as the test. */
const PASSPHRASES = {
  DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'root passphrase of a test',
  DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'repository passphrase of a test',
};

/** A person with a Docker command line, keys of their own, and Docker Content Trust. */
export class Publisher {
  readonly name: string;
  /** Where the keys are: `~/.docker/trust`. */
  readonly home: string;
  readonly place: Workplace;
  readonly #cli: string | undefined;

  private constructor(name: string, home: string, place: Workplace, cli: string | undefined) {
    this.name = name;
    this.home = home;
    this.place = place;
    this.#cli = cli;
  }

  /** @param cli path of the docker command; the first on the path by default */
  static async open(name: string, place: Workplace, cli?: string): Promise<Publisher> {
    const home = await place.workspace.folder(name);
    const tls = join(home, '.docker/tls', place.notary.address);
    await mkdir(tls, { recursive: true });
    await copyFile(place.notary.authority.cert, join(tls, 'ca.crt'));
    return new Publisher(name, home, place, cli);
  }

  /** The name images are signed under: Docker takes the reference as it was written. */
  gun(repository: string): string {
    return `${this.place.registry.address}/${repository}`;
  }

  /** Pushes a new image without signing it. Answers its digest. */
  async push(image: string, content: ImageContent, platform?: string): Promise<string> {
    await this.build(image, content, platform);
    return digestIn(await this.docker(['push', this.gun(image)]));
  }

  /** Pushes a new image and signs it, founding the repository's trust if it has none. Answers its digest. */
  async pushSigned(image: string, content: ImageContent): Promise<string> {
    await this.build(image, content);
    return digestIn(await this.docker(['push', this.gun(image)], { env: { DOCKER_CONTENT_TRUST: '1' } }));
  }

  /** `docker trust sign`, with this person's key, for an image that was built on this machine. */
  async sign(image: string): Promise<void> {
    await this.docker(['trust', 'sign', this.gun(image)]);
  }

  async revoke(image: string): Promise<void> {
    await this.docker(['trust', 'revoke', '--yes', this.gun(image)]);
  }

  /** Lets another person sign for the repository, with a key made on that person's side. */
  async addSigner(repository: string, signer: Publisher): Promise<void> {
    const key = await signer.publicKey();
    await this.docker(['trust', 'signer', 'add', '--key', key, signer.name, this.gun(repository)]);
  }

  async removeSigner(repository: string, signer: Publisher): Promise<void> {
    // Some versions do nothing, and report success, when other signers remain: then another docker here has to.
    for (const cli of findTools('docker')) {
      // The command asks when the last release was signed by that person.
      const options = { input: 'y\n', cli };
      const said = await this.docker(['trust', 'signer', 'remove', signer.name, this.gun(repository)], options);
      if (said.includes('Successfully removed')) return;
    }
    throw new CommandFailed(`expected a docker here to remove the signer ${signer.name}, none did`);
  }

  /** The person's own signing key, made when first needed. Answers the path of its public half. */
  async publicKey(): Promise<string> {
    const path = join(this.home, `${this.name}.pub`);
    const there = await readFile(path).then(
      () => true,
      () => false,
    );
    if (!there) await this.docker(['trust', 'key', 'generate', this.name], { cwd: this.home });
    return path;
  }

  /** The id of the root key that a person would pin, as Docker shows it. */
  async rootKeyId(repository: string): Promise<string> {
    const [{ AdministrativeKeys: keys }] = JSON.parse(await this.docker(['trust', 'inspect', this.gun(repository)]));
    const root = keys.find((key: { Name: string }) => key.Name === 'Root');
    return String(root.Keys[0].ID);
  }

  /** `docker manifest`: puts images of several platforms under one tag, without signing it. Answers the list's digest. */
  async pushIndex(image: string, members: Readonly<Record<string, string>>): Promise<string> {
    const names = Object.values(members).map((member) => this.gun(member));
    await this.docker(['manifest', 'create', '--insecure', this.gun(image), ...names]);
    for (const [architecture, member] of Object.entries(members)) {
      const platform = ['--os', 'linux', '--arch', architecture];
      await this.docker(['manifest', 'annotate', ...platform, this.gun(image), this.gun(member)]);
    }
    return (await this.docker(['manifest', 'push', '--insecure', this.gun(image)])).trim();
  }

  async build(image: string, content: ImageContent, platform?: string): Promise<void> {
    const archive = await packImage(this.place.workspace, content);
    const forPlatform = platform === undefined ? [] : ['--platform', platform];
    await this.docker(['import', ...forPlatform, '--change', ENTRYPOINT, archive, this.gun(image)]);
  }

  /** Docker on the publisher's machine, as this person. @throws CommandFailed */
  async docker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
    const trust = { ...PASSPHRASES, DOCKER_CONTENT_TRUST_SERVER: this.place.notary.url };
    return await this.place.machine.mustDocker(args, {
      ...(this.#cli === undefined ? {} : { cli: this.#cli }),
      home: this.home,
      ...options,
      env: { ...trust, ...options.env },
    });
  }
}

function digestIn(pushed: string): string {
  const digest = /digest: (sha256:[0-9a-f]{64}) size:/.exec(pushed)?.[1];
  if (digest === undefined) throw new Error(`expected docker push to print a digest, got ${pushed}`);
  return digest;
}
