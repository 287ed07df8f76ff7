import type { Log } from '../../oci/log.ts';
import type { Finding, NotVouched, Question, SignedTargets, TargetsQuestion, Unknown } from '../authority.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { deniedFinding } from '../refresh/denied-finding.ts';
import { failureOf, isPaused, type RefreshFailure } from '../refresh/refresh-failure.ts';
import { withinBudget } from '../refresh/within-budget.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { TrustStatus } from '../status.ts';
import { coreExpiry } from './assemble.ts';
import { repositorySteps } from './evidence.ts';
import { vouchedFinding } from './finding.ts';
import { logFailure } from './news.ts';
import { type Looking, listTargets, resolveDigest, resolveTag } from './resolve.ts';
import type { RootFile } from './root-chain.ts';
import type { MetadataSource } from './source.ts';
import type { Staging } from './staging.ts';
import { CLOCK_TOLERANCE_MS, type State, trustStatusOf, type Usable, usableState } from './state.ts';
import type { RepositoryStore } from './store.ts';
import type { TargetName } from './target-name.ts';
import { TrustMemory } from './trust-memory.ts';
import { lookAtRoots, update } from './update.ts';

export interface TufTrustOptions {
  readonly pinned: RootFile;
  readonly source: MetadataSource;
  readonly names: TargetName;
  readonly accepted: ReadonlySet<string>;
  readonly store: RepositoryStore;
  readonly staging: Staging;
  /** Milliseconds for which a successful refresh is used without asking the source again. */
  readonly refresh: number;
  /** Milliseconds that all requests of one refresh may take together. */
  readonly budget: number;
  readonly log: Log;
  readonly now: () => Date;
}

/** In the background: what is kept for an outage is never older than this, and never past half of its lifetime. */
const BACKGROUND_AGE_MS = 30 * 60 * 1000;

/** The trust in one TUF repository: owns what is remembered of it, and asks the source for it, once at a time. */
export class TufTrust {
  readonly #options: TufTrustOptions;
  readonly #memory: TrustMemory;
  readonly #kept = new Map<string, Uint8Array>();
  #flight: Promise<void> | undefined;
  #failure: RefreshFailure | undefined;

  constructor(options: TufTrustOptions) {
    this.#options = options;
    this.#memory = new TrustMemory(options);
  }

  status(): TrustStatus {
    const { told, unread } = this.#memory;
    return trustStatusOf(this.#options.source.address, told, unread ?? this.#failure);
  }

  /** Has the status tell of what is on disk. @throws nothing for what is damaged, which is part of the status */
  recall(): Promise<void> {
    return this.#memory.recall();
  }

  judge(question: Question): Promise<Finding> {
    return this.#answer(question, (usable) => this.#vouch(question, usable));
  }

  signedTargets(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown> {
    return this.#answer(question, (usable) => ({
      outcome: 'listed',
      stateVersion: usable.version,
      targets: listTargets(this.#looking(usable, question.now), question.name),
    }));
  }

  async #answer<T>({ now, maxAge }: TargetsQuestion, answer: (usable: Usable) => T): Promise<T | NotVouched | Unknown> {
    try {
      await this.#memory.load();
      if (this.#isDue(now, maxAge)) {
        await this.#refresh(now);
        // The refresh that was joined may have begun too long ago for a small `maxAge`.
        if (this.#isTooOld(now, maxAge)) await this.#refresh(now);
      }
      return answer(usableState(this.#memory.state, this.#failure, now, maxAge));
    } catch (error) {
      return this.#findingOf(error);
    }
  }

  /** Refreshes what would otherwise grow old. Never throws; what goes wrong is logged. */
  async keepFresh(now: Date): Promise<void> {
    try {
      await this.#memory.load();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the trust state could not be read');
      return;
    }
    const state = this.#memory.state;
    const paused = this.#failure !== undefined && isPaused(this.#failure, now);
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
    const { pinned, source, staging, budget, refresh } = this.#options;
    try {
      await this.#memory.load();
      const ends = performance.now() + budget;
      const request = { source, pinned, ...this.#memory.ground(), kept: this.#kept, staging, now };
      const { previous } = request;
      const look = await withinBudget(lookAtRoots(request), budget);
      await this.#memory.keepRoots(look.chain, now);
      const repository = await withinBudget(update(request, look), Math.max(1, Math.ceil(ends - performance.now())));
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

  #looking({ repository, index, images }: State, now: Date): Looking {
    const { names, accepted } = this.#options;
    return { repository, index, images, names, accepted, now };
  }

  #vouch({ name, reference, now }: Question, usable: Usable): Finding {
    const { repository, notes } = usable;
    const looking = this.#looking(usable, now);
    try {
      const resolution =
        reference.kind === 'tag'
          ? resolveTag(looking, name, reference.tag)
          : resolveDigest(looking, name, reference.digest);
      return vouchedFinding(reference, resolution, usable);
    } catch (error) {
      throw error instanceof MetadataError ? error.after([...notes, ...repositorySteps(repository)]) : error;
    }
  }

  #findingOf(error: unknown): NotVouched | Unknown {
    const finding = deniedFinding(error);
    if (finding.reason === 'INTERNAL') this.#options.log.error({ err: error }, 'unexpected error in a judgement');
    return finding;
  }
}
