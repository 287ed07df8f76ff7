import { spawnSync } from 'node:child_process';
import { Dockerd } from './dockerd.ts';
import { FakeHub } from './fake-hub.ts';
import { FaultyUpstream } from './faulty-upstream.ts';
import { type Configuration, Gateway } from './gateway.ts';
import { freePort } from './port.ts';
import type { Stage } from './stage.ts';
import { findTools } from './tool.ts';

/** DockLock as the mirror of clients that can reach a Docker Hub, which has all that DockLock's own upstream has. */
export class Mirror {
  readonly hub: FakeHub;
  /** What DockLock pulls docker.io from. */
  readonly upstream: FaultyUpstream;
  /** `host:port` of the listener marked `mirror: true`. */
  readonly address: string;
  readonly gateway: Gateway;
  readonly #stage: Stage;

  private constructor(
    stage: Stage,
    parts: { hub: FakeHub; upstream: FaultyUpstream; address: string; gateway: Gateway },
  ) {
    this.#stage = stage;
    this.hub = parts.hub;
    this.upstream = parts.upstream;
    this.address = parts.address;
    this.gateway = parts.gateway;
  }

  static async start(stage: Stage, { authorities, policy }: Configuration): Promise<Mirror> {
    const hub = await FakeHub.start(stage.workspace, stage.registry);
    const upstream = await FaultyUpstream.start(stage.workspace, stage.registry);
    const address = `127.0.0.1:${await freePort()}`;
    const upstreams = { 'docker.io': { url: upstream.url, default: true } };
    const configuration = { upstreams, authorities, policy };
    const gateway = await Gateway.start(stage.workspace, configuration, {}, [{ address, mirror: true }]);
    return new Mirror(stage, { hub, upstream, address, gateway });
  }

  /** Docker that has one of DockLock's listeners in `registry-mirrors`, and Docker Hub behind it. */
  async dockerd(name: string, mirror: string): Promise<Dockerd> {
    // One attempt at a layer: dockerd would otherwise take more than a minute before it gives up.
    const config = { 'registry-mirrors': [`http://${mirror}`], 'max-download-attempts': 1 };
    return await Dockerd.start(this.#stage.workspace, name, { config, env: this.hub.environment });
  }
}

/** A docker command that can have dockerd's BuildKit build: an old one by itself, a newer one with its plugin. */
export function findBuilder(): string | undefined {
  return findTools('docker').find((cli) => {
    if (spawnSync(cli, ['buildx', 'version']).status === 0) return true;
    return /version (?:19|20)\./.test(spawnSync(cli, ['--version'], { encoding: 'utf8' }).stdout);
  });
}
