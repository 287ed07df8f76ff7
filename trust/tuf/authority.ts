import type { Log } from '../../oci/log.ts';
import type {
  Authority,
  Finding,
  NotVouched,
  Question,
  SignedTargets,
  TargetsQuestion,
  Unknown,
} from '../authority.ts';
import { everyMilliseconds, type Schedule } from '../refresh/schedule.ts';
import { type Disk, NODE_DISK } from '../state/disk.ts';
import type { AuthorityStatus } from '../status.ts';
import { readRoot } from './root-chain.ts';
import type { MetadataSource } from './source.ts';
import { Staging } from './staging.ts';
import { RepositoryStore } from './store.ts';
import { TargetName } from './target-name.ts';
import { TufTrust } from './tuf-trust.ts';

export interface TufAuthorityOptions {
  /** The name the configuration gives it. */
  readonly name: string;
  readonly source: MetadataSource;
  /** The bytes of the root.json at which trust begins. */
  readonly root: Uint8Array;
  /** What an image is called: `{registry}/{repository}:{tag}`. */
  readonly target: string;
  /** Roles whose targets count, `targets` being one; any, when there are none. */
  readonly roles: readonly string[];
  /** Milliseconds for which a successful refresh is used without asking the source again. */
  readonly refresh: number;
  /** Where the metadata of this authority, and of nothing else, is kept. */
  readonly folder: string;
  /** The file that keeps the versions seen: outside the folder, so that it outlives it. */
  readonly floors: string;
  /** Reads what is remembered but writes nothing: for a second process beside the one that owns the folder. */
  readonly readOnly: boolean;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds that all requests of one refresh may take together; 20 s unless told. */
  readonly budget?: number;
  readonly disk?: Disk;
  readonly schedule?: Schedule;
}

/** Patience of a client that waits for a pull is about a minute; the pull itself needs most of it. */
const REFRESH_BUDGET_MS = 20_000;

/** How often is looked whether something grows old. */
const BACKGROUND_TICK_MS = 60_000;

/** The Update Framework 1.0: images are targets of a repository, under the names that the operator says. */
export class TufAuthority implements Authority {
  readonly name: string;
  readonly way = 'resolves';
  readonly #trust: TufTrust;
  readonly #now: () => Date;
  readonly #stop: () => void;
  #background: Promise<void> | undefined;

  /** @throws RangeError for a template by which images share a name; MetadataError when the root is none, or not signed by its own keys. */
  constructor(options: TufAuthorityOptions) {
    const { name, source, folder, floors, readOnly, refresh, now, disk = NODE_DISK } = options;
    this.name = name;
    this.#now = now;
    this.#trust = new TufTrust({
      pinned: readRoot(options.root),
      source,
      names: new TargetName(options.target),
      accepted: new Set(options.roles),
      store: new RepositoryStore({ folder, floors, disk }, readOnly),
      staging: new Staging(readOnly ? undefined : folder),
      refresh,
      budget: options.budget ?? REFRESH_BUDGET_MS,
      log: options.log,
      now,
    });
    this.#stop = (options.schedule ?? everyMilliseconds)(() => {
      this.#background ??= this.keepFresh().finally(() => {
        this.#background = undefined;
      });
    }, BACKGROUND_TICK_MS);
  }

  judge(question: Question): Promise<Finding> {
    return this.#trust.judge(question);
  }

  signedTargets(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown> {
    return this.#trust.signedTargets(question);
  }

  status(): AuthorityStatus {
    return { name: this.name, kind: 'tuf', trust: [this.#trust.status()] };
  }

  recall(): Promise<void> {
    return this.#trust.recall();
  }

  /** Refreshes what grows old; what the background work does at each tick. */
  keepFresh(): Promise<void> {
    return this.#trust.keepFresh(this.#now());
  }

  /** Stops background work and waits for what is under way, so that nothing writes any more. */
  async close(): Promise<void> {
    this.#stop();
    await this.#background;
    await this.#trust.settle();
  }
}
