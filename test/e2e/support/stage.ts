import { CertificateAuthority } from './certificate-authority.ts';
import { type Client, unavailable } from './client.ts';
import { Ctr } from './ctr.ts';
import { Docker } from './docker.ts';
import { DockerRegistry } from './docker-registry.ts';
import { Dockerd } from './dockerd.ts';
import { type Configuration, Gateway } from './gateway.ts';
import { NotaryServer } from './notary-server.ts';
import { Podman } from './podman.ts';
import { Publisher, type Workplace } from './publisher.ts';
import { Skopeo } from './skopeo.ts';
import { Workspace } from './workspace.ts';

/** The upstream's name in every reference of these tests. */
export const UPSTREAM = 'corp.example';

/** A company: a registry and a trust server, a machine its publishers work on, and DockLock in front. */
export class Stage {
  /** Why nothing of it can be played on this machine. */
  readonly skip: string | false;
  readonly #workspace: Workspace;
  readonly #place: Workplace | undefined;

  private constructor(workspace: Workspace, place: Workplace | undefined, skip: string | false) {
    this.#workspace = workspace;
    this.#place = place;
    this.skip = skip;
  }

  /** Never throws for what a machine cannot do: that is said in `skip`. */
  static async open(): Promise<Stage> {
    const workspace = await Workspace.open();
    try {
      const authority = await CertificateAuthority.create(workspace);
      const [machine, registry, notary] = await Promise.all([
        Dockerd.start(workspace, 'build'),
        DockerRegistry.start(workspace),
        NotaryServer.start(workspace, authority),
      ]);
      return new Stage(workspace, { workspace, machine, registry, notary }, false);
    } catch (error) {
      return new Stage(workspace, undefined, `no registry, signer and trust server here: ${reasonOf(error)}`);
    }
  }

  get workspace(): Workspace {
    return this.#workspace;
  }

  get registry(): DockerRegistry {
    return this.place.registry;
  }

  get notary(): NotaryServer {
    return this.place.notary;
  }

  get place(): Workplace {
    if (this.#place === undefined) throw new Error('expected the test to be skipped');
    return this.#place;
  }

  async publisher(name: string, cli?: string): Promise<Publisher> {
    return await Publisher.open(name, this.place, cli);
  }

  /** docker, podman, skopeo and ctr as this machine has them. */
  async clients(): Promise<readonly Client[]> {
    return await clientsOf(this.#workspace);
  }

  /** The part of a configuration that all tests here share: this upstream, and its trust server as `dct`. */
  configuration(policy: readonly object[], authority: object = {}): Configuration {
    return {
      upstreams: { [UPSTREAM]: { url: this.registry.url } },
      authorities: { dct: this.authority(authority) },
      policy,
    };
  }

  /** Entry of an authority that asks this stage's trust server. */
  authority(more: object = {}): object {
    return {
      type: 'notary',
      server: this.notary.url,
      ca: this.notary.authority.cert,
      gun: `${this.registry.address}/{repository}`,
      pin: 'tofu',
      refresh: '1s',
      ...more,
    };
  }

  async gateway(configuration: Configuration, env: NodeJS.ProcessEnv = {}): Promise<Gateway> {
    return await Gateway.start(this.#workspace, configuration, env);
  }

  async close(): Promise<void> {
    await this.#workspace.close();
  }
}

/** What every image of the upstream needs, in the rule that most tests use. */
export const SIGNED_ONLY = [{ images: `${UPSTREAM}/**`, require: ['dct'] }];

/** docker, podman, skopeo and ctr as this machine has them, for a story without a stage. */
export async function clientsOf(workspace: Workspace): Promise<readonly Client[]> {
  return await Promise.all([
    here('docker', async () => new Docker(await Dockerd.start(workspace, 'use'))),
    here('podman', () => Podman.open(workspace)),
    here('skopeo', () => Skopeo.open(workspace)),
    here('ctr', () => Ctr.start(workspace)),
  ]);
}

async function here(name: Client['name'], open: () => Promise<Client>): Promise<Client> {
  try {
    return await open();
  } catch (error) {
    return unavailable(name, `${name} cannot be run here: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
