import { DockerRegistry } from './docker-registry.ts';
import { Gateway } from './gateway.ts';
import { Moments } from './moments.ts';
import { once } from './once.ts';
import { pushSmallImage } from './small-image.ts';
import { makeKey, Vouching } from './vouching.ts';
import type { Workspace } from './workspace.ts';

/** One authority, with an upstream of the same name that has its images. */
export interface Watching {
  readonly name: string;
  /** Of its rule; `24h` unless told. */
  readonly maxAge?: string;
}

/** A registry, the metadata of one repository of images at many moments, and gateways that are shown them. */
export class VouchedStage {
  readonly registry: DockerRegistry;
  readonly moments: Moments;
  readonly #workspace: Workspace;

  private constructor(workspace: Workspace, registry: DockerRegistry, moments: Moments) {
    this.#workspace = workspace;
    this.registry = registry;
    this.moments = moments;
  }

  static async start(workspace: Workspace): Promise<VouchedStage> {
    return new VouchedStage(workspace, await DockerRegistry.start(workspace), await Moments.start(workspace));
  }

  /** Pushes the images: two that are vouched for, one that is later, and one that a thief would have vouched for. */
  readonly images = once(async () => ({
    'acme/app:1': await pushSmallImage(this.registry, 'acme/app', '1', 'vouched for'),
    'team/app:1': await pushSmallImage(this.registry, 'team/app', '1', 'from the team'),
    'acme/app:next': await pushSmallImage(this.registry, 'acme/app', 'next', 'vouched for later'),
    'acme/app:evil': await pushSmallImage(this.registry, 'acme/app', 'evil', 'what only a thief vouches for'),
  }));

  /** @param init options of `docklock tuf init` */
  async found(...init: readonly string[]): Promise<Vouching> {
    return await Vouching.found(this.#workspace, { corp: { url: this.registry.url } }, ...init);
  }

  /** A gateway for which every authority pins the same root and names images alike, so that one repository does for all. */
  async gateway(watching: readonly Watching[], root: string): Promise<Gateway> {
    const named = <T>(value: (one: Watching) => T) => Object.fromEntries(watching.map((one) => [one.name, value(one)]));
    return await Gateway.start(this.#workspace, {
      upstreams: named(() => ({ url: this.registry.url })),
      authorities: named(({ name }) => ({
        type: 'tuf',
        metadata: this.moments.url(name),
        root,
        target: 'corp/{repository}:{tag}',
        refresh: '1s',
      })),
      policy: watching.map(({ name, maxAge = '24h' }) => ({
        images: `${name}/**`,
        require: [name],
        freshness: { maxAge },
      })),
      // Nobody sends it traffic that would have to go elsewhere first.
      shutdown: { notice: '0s' },
    });
  }

  /** The repository and its collaborator, with nothing vouched for yet. */
  readonly founding = once(async () => {
    const [live, team] = await Promise.all([this.found(), makeKey(this.#workspace, 'alice')]);
    return { live, team };
  });

  /**
   * One repository that goes on, as copies of the whole folder on the way, keys included: `old`, then its list of images
   * changes (`middle`), then the team's (`last`), then the targets key by a new root (`live`). The thief has `last`, keys
   * and all, and goes on from there, past the versions of the others.
   */
  readonly history = once(async () => {
    const [{ live, team }] = await Promise.all([this.founding(), this.images()]);
    await live.vouch('corp/acme/app:1');
    await live.tuf('delegate', 'corp/team/*', team.pub, '--name', 'team');
    await live.vouch('corp/team/app:1', '--role', 'team', '--key', team.key);
    const old = await live.copy();
    await live.vouch('corp/acme/app:next');
    const middle = await live.copy();
    await live.tuf('renew', 'team', '--key', team.key);
    const last = await live.copy();
    const thief = await live.copy();
    await Promise.all([live.tuf('rotate', 'targets', '--yes'), thief.vouch('corp/acme/app:evil')]);
    await thief.tuf('refresh', '--force');
    return { old, middle, last, live, thief, team };
  });
}

export type History = Awaited<ReturnType<VouchedStage['history']>>;
