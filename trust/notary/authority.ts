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
import type { MetadataFetch } from '../fetch-metadata.ts';
import { everyMilliseconds, type Schedule } from '../refresh/schedule.ts';
import { type Disk, NODE_DISK } from '../state/disk.ts';
import type { AuthorityStatus } from '../status.ts';
import { type Gun, gunOf, requireGunTemplate } from './gun.ts';
import { type Pin, type PinOption, parsePin } from './pin.ts';
import { KnownTrust } from './known-trust.ts';
import { Remote } from './remote.ts';
import { RepositoryMemory } from './repository-memory.ts';
import { RepositoryTrust } from './repository-trust.ts';
import type { TagRules } from './resolve.ts';
import { parseSigner } from './role-name.ts';
import { RepositoryStore } from './store.ts';

export interface NotaryAuthorityOptions {
  /** The name the configuration gives it. */
  readonly name: string;
  /** Base URL of the Notary v1 server: `https://host`. */
  readonly server: string;
  /** Name of a repository of trust data, with `{registry}` and `{repository}` in it. */
  readonly gun: string;
  readonly pin: PinOption;
  /** Only tags in `targets/releases` count. */
  readonly requireReleases: boolean;
  /** Delegations, as `alice` or `targets/alice`, that must all have signed a tag with the same digest. */
  readonly signers: readonly string[];
  /** Milliseconds for which a successful refresh is used without asking the server again. */
  readonly refresh: number;
  /** Where the state of this authority, and of nothing else, is kept. */
  readonly folder: string;
  /** Reads what is remembered but writes nothing: for a second process beside the one that owns the folder. */
  readonly readOnly: boolean;
  readonly fetch: MetadataFetch;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds that all requests of one refresh may take together; 20 s unless told. */
  readonly budget?: number;
  readonly disk?: Disk;
  readonly schedule?: Schedule;
  /** What is kept in memory. */
  readonly limits?: { readonly repositories: number; readonly bytes: number };
}

/** Patience of a client that waits for a pull is about a minute; the pull itself needs most of it. */
const REFRESH_BUDGET_MS = 20_000;

/** How often is looked whether something grows old. */
const BACKGROUND_TICK_MS = 60_000;

/** Repositories refreshed at once in the background, so that a thousand of them are no burst upon their server. */
const BACKGROUND_AT_ONCE = 4;

/** Notary v1, Docker Content Trust: signed metadata of a repository says which digest each of its tags is now. */
export class NotaryAuthority implements Authority {
  readonly name: string;
  readonly way = 'resolves';
  readonly #options: NotaryAuthorityOptions;
  readonly #pin: Pin;
  readonly #rules: TagRules;
  readonly #memory: RepositoryMemory;
  readonly #known = new KnownTrust();
  readonly #stop: () => void;
  #background: Promise<void> | undefined;

  /** @throws RangeError when a key ID, a signer or the template is not one; MetadataError when the CA is no certificate. */
  constructor(options: NotaryAuthorityOptions) {
    requireGunTemplate(options.gun);
    this.name = options.name;
    this.#options = options;
    this.#pin = parsePin(options.pin);
    this.#rules = { requireReleases: options.requireReleases, signers: options.signers.map(parseSigner) };
    const left = (trust: RepositoryTrust) => this.#known.left(trust);
    this.#memory = new RepositoryMemory((gun) => this.#open(gun), options.limits, left);
    const schedule = options.schedule ?? everyMilliseconds;
    this.#stop = schedule(() => {
      this.#background ??= this.refreshDue(options.now()).finally(() => {
        this.#background = undefined;
      });
    }, BACKGROUND_TICK_MS);
  }

  async judge(question: Question): Promise<Finding> {
    const gun = gunOf(this.#options.gun, question.name);
    return await this.#memory.using(gun, (trust) => trust.judge(question));
  }

  async signedTargets(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown> {
    const gun = gunOf(this.#options.gun, question.name);
    return await this.#memory.using(gun, (trust) => trust.signedTargets(question));
  }

  /** Of the repositories asked about by this process, and of those on disk once they were recalled. */
  status(): AuthorityStatus {
    return { name: this.name, kind: 'notary', trust: this.#known.all(this.#memory.all(), this.#options.now()) };
  }

  async recall(): Promise<void> {
    const { folder, disk = NODE_DISK, log, now } = this.#options;
    const leftOut = await this.#known.recall(folder, { disk, now: now() });
    if (leftOut > 0)
      log.warn({ authority: this.name, leftOut }, 'repositories on disk that no status tells of: too many');
  }

  /** Refreshes what is in use and grows old; what the background work does at each tick. */
  async refreshDue(now: Date): Promise<void> {
    const waiting = [...this.#memory.all()];
    const worker = async () => {
      for (let trust = waiting.pop(); trust !== undefined; trust = waiting.pop()) await trust.keepFresh(now);
    };
    await Promise.all(Array.from({ length: BACKGROUND_AT_ONCE }, worker));
  }

  /** Stops background work and waits for what is under way, so that nothing writes any more. */
  async close(): Promise<void> {
    this.#stop();
    await this.#background;
    await Promise.all(this.#memory.all().map((trust) => trust.settle()));
  }

  #open(gun: Gun): RepositoryTrust {
    const { server, fetch, folder, readOnly, disk = NODE_DISK, refresh, log, now } = this.#options;
    return new RepositoryTrust({
      gun,
      pin: this.#pin,
      rules: this.#rules,
      source: new Remote(server, gun, fetch),
      store: new RepositoryStore(folder, gun, { disk, readOnly }),
      refresh,
      budget: this.#options.budget ?? REFRESH_BUDGET_MS,
      log,
      now,
    });
  }
}
