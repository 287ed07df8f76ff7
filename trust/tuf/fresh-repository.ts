import type { Log } from '../../oci/log.ts';
import { failureOf, isPaused, type RefreshFailure } from '../refresh/refresh-failure.ts';
import { withinBudget } from '../refresh/within-budget.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { TrustStatus } from '../status.ts';
import { coreExpiry } from './assemble.ts';
import { logFailure } from './news.ts';
import type { Repository } from './repository.ts';
import type { RootFile } from './root-chain.ts';
import type { MetadataSource } from './source.ts';
import type { Staging } from './staging.ts';
import { CLOCK_TOLERANCE_MS, type State, trustStatusOf, type Usable, usableState } from './state.ts';
import type { RepositoryStore } from './store.ts';
import { TrustMemory } from './trust-memory.ts';
import { lookAtRoots, update } from './update.ts';

export interface FreshRepositoryOptions {
  readonly pinned: RootFile;
  readonly source: MetadataSource;
  readonly store: RepositoryStore;
  readonly staging: Staging;
  /** Milliseconds for which a successful refresh is used without asking the source again. */
  readonly refresh: number;
  /** Milliseconds that all requests of one refresh may take together. */
  readonly budget: number;
  readonly log: Log;
  readonly now: () => Date;
  readonly prepare?: Prepare;
}

/**
 * Gets what must be at hand before a repository is relied on. Where it cannot be had, the refresh has failed, and what was trusted
 * stays. What it returns is done once it is there in time: the work itself must change nothing.
 */
export type Prepare = (repository: Repository, now: Date) => Promise<() => Promise<void>>;

/** In the background: what is kept for an outage is never older than this, and never past half of its lifetime. */
const BACKGROUND_AGE_MS = 30 * 60 * 1000;

/** One TUF repository, remembered and kept fresh: asks the source for it, once at a time, and knows how that ended. */
export class FreshRepository {
  readonly #options: FreshRepositoryOptions;
  readonly #memory: TrustMemory;
  readonly #kept = new Map<string, Uint8Array>();
  #flight: Promise<void> | undefined;
  #failure: RefreshFailure | undefined;

  constructor(options: FreshRepositoryOptions) {
    this.#options = options;
    this.#memory = new TrustMemory(options);
  }

  /** What is trusted, whether or not it may still be relied on, once it is loaded. */
  get state(): State | undefined {
    return this.#memory.state;
  }

  /** How the last refresh ended, if not well. */
  get failure(): RefreshFailure | undefined {
    return this.#failure;
  }

  /** Version of the newest root that was seen, the pinned one at least. */
  get newestRoot(): number {
    return this.#memory.newestRoot ?? this.#options.pinned.metadata.version;
  }

  status(): TrustStatus {
    const { told, unread } = this.#memory;
    return trustStatusOf(this.#options.source.address, told, unread ?? this.#failure);
  }

  /** Has the status tell of what is on disk. @throws nothing for what is damaged, which is part of the status */
  recall(): Promise<void> {
    return this.#memory.recall();
  }

  /** @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable */
  load(): Promise<void> {
    return this.#memory.load();
  }

  /**
   * What may be relied on now, after asking the source where that is due.
   * @throws MetadataError, Undetermined, StateUnwritable when nothing may be
   */
  async usable(now: Date, maxAge: number): Promise<Usable> {
    await this.#memory.load();
    if (this.#isDue(now, maxAge)) {
      await this.#refresh(now);
      // The refresh that was joined may have begun too long ago for a small `maxAge`.
      if (this.#isTooOld(now, maxAge)) await this.#refresh(now);
    }
    return usableState(this.#memory.state, this.#failure, now, maxAge);
  }

  /** Asks the source, unless it failed a moment ago. How that ended is in `state` and `failure`. */
  async ask(now: Date): Promise<void> {
    if (this.#failure === undefined || !isPaused(this.#failure, now)) await this.#refresh(now);
  }

  /**
   * Refreshes what would otherwise grow old. Never throws; what goes wrong is logged.
   * @param patience milliseconds to wait after a failure at the least
   */
  async keepFresh(now: Date, patience = 0): Promise<void> {
    try {
      await this.#memory.load();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the trust state could not be read');
      return;
    }
    const state = this.#memory.state;
    const paused = this.#failure !== undefined && isPaused(this.#failure, now, patience);
    if (paused) return;
    const lifetime = state === undefined ? 0 : coreExpiry(state.repository).getTime() - state.refreshedAt.getTime();
    const age = state === undefined ? 0 : now.getTime() - state.refreshedAt.getTime();
    if (age >= Math.min(BACKGROUND_AGE_MS, lifetime / 2)) await this.#refresh(now);
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#memory.settle(), this.#flight]);
  }

  #isDue(now: Date, maxAge: number): boolean {
    if (this.#failure !== undefined) return !isPaused(this.#failure, now);
    const state = this.#memory.state;
    if (state === undefined || !state.anchored || now >= coreExpiry(state.repository)) return true;
    const age = now.getTime() - state.refreshedAt.getTime();
    return age < -CLOCK_TOLERANCE_MS || age >= Math.min(this.#options.refresh, maxAge);
  }

  #isTooOld(now: Date, maxAge: number): boolean {
    if (this.#failure !== undefined || this.#memory.state === undefined) return false;
    return now.getTime() - this.#memory.state.refreshedAt.getTime() > maxAge;
  }

  async #refresh(now: Date): Promise<void> {
    this.#flight ??= this.#ask(now).finally(() => {
      this.#flight = undefined;
    });
    await this.#flight;
  }

  async #ask(now: Date): Promise<void> {
    const { pinned, source, staging, budget, refresh, prepare } = this.#options;
    try {
      await this.#memory.load();
      const ends = performance.now() + budget;
      const left = () => Math.max(1, Math.ceil(ends - performance.now()));
      const request = { source, pinned, ...this.#memory.ground(), kept: this.#kept, staging, now };
      const { previous } = request;
      const look = await withinBudget(lookAtRoots(request), budget);
      await this.#memory.keepRoots(look.chain, now);
      const repository = await withinBudget(update(request, look), left());
      if (prepare !== undefined) await (await withinBudget(prepare(repository, now), left()))();
      if (repository === previous) await this.#memory.touch(now);
      else await this.#memory.replace(previous, repository, now);
      this.#kept.clear();
      this.#failure = undefined;
    } catch (error) {
      if (error instanceof StateUnwritable) this.#memory.forget();
      this.#failure = failureOf(error, this.#options.now(), { refresh, before: this.#failure });
      // A file that was not acceptable is asked for again, or one bad answer would be the last.
      if (this.#failure.kind !== 'unreachable') this.#kept.clear();
      logFailure(this.#options.log, error, this.#failure);
    }
  }
}
