import type { Log } from '../../oci/log.ts';
import type { Finding, NotVouched, Question, SignedTargets, TargetsQuestion, Unknown } from '../authority.ts';
import { faultStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { deniedFinding } from '../refresh/denied-finding.ts';
import { failureOf, isPaused, type RefreshFailure } from '../refresh/refresh-failure.ts';
import { Undetermined } from '../refresh/undetermined.ts';
import { withinBudget } from '../refresh/within-budget.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { TrustStatus } from '../status.ts';
import { coreExpiry } from './assemble.ts';
import { repositorySteps } from './evidence.ts';
import { vouchedFinding } from './finding.ts';
import type { Gun } from './gun.ts';
import type { Pin } from './pin.ts';
import { logFailure, logReplaced } from './log-news.ts';
import { type State, staleness, stateOf, type Usable } from './repository-state.ts';
import { type Resolution, resolveTag, type TagRules } from './resolve.ts';
import { isAnchored } from './root-chain.ts';
import type { RepositoryStore } from './store.ts';
import { trustStatusOf } from './trust-status.ts';
import { sizeOf, type TrustedRepository } from './trusted-repository.ts';
import { type MetadataSource, stateVersionOf, update } from './update.ts';

export interface RepositoryTrustOptions {
  readonly gun: Gun;
  readonly pin: Pin;
  readonly rules: TagRules;
  readonly source: MetadataSource;
  readonly store: RepositoryStore;
  /** Milliseconds for which a successful refresh is used without asking the server again. */
  readonly refresh: number;
  /** Milliseconds that all requests of one refresh may take together. */
  readonly budget: number;
  readonly log: Log;
  readonly now: () => Date;
}

/** Questions of one moment may come in another order; a refresh "from the future" beyond this means the clock was set back. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A repository asked about within this time is kept fresh in the background. */
const IN_USE_MS = 24 * 60 * 60 * 1000;

/** In the background: what is kept for an outage is never older than this, and never past half of its lifetime. */
const BACKGROUND_AGE_MS = 30 * 60 * 1000;

const UNEXPECTED = 'unexpected error in a judgement';

/** The trust in one repository: owns what is remembered of it, and asks the server for it, once at a time. */
export class RepositoryTrust {
  readonly #options: RepositoryTrustOptions;
  #state: State | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #flight: Promise<void> | undefined;
  #failure: RefreshFailure | undefined;
  /** Why what is on disk cannot be had. */
  #unread: RefreshFailure | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RepositoryTrustOptions) {
    this.#options = options;
  }

  /** Whether a refresh is under way: then it must not be forgotten, or a second one could begin beside it. */
  get busy(): boolean {
    return this.#flight !== undefined || this.#loading !== undefined;
  }

  /** Bytes of metadata held in memory. */
  get size(): number {
    return this.#state === undefined ? 0 : sizeOf(this.#state.repository);
  }

  get gun(): Gun {
    return this.#options.gun;
  }

  status(): TrustStatus {
    return trustStatusOf(this.gun, this.#state, this.#unread ?? this.#failure);
  }

  judge(question: Question): Promise<Finding> {
    return this.#answer(question, (usable) => this.#vouch(question, usable));
  }

  signedTargets(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown> {
    return this.#answer(question, ({ repository, index }) => ({
      outcome: 'listed',
      stateVersion: stateVersionOf(repository),
      targets: index.targets(this.#options.rules, question.now),
    }));
  }

  async #answer<T>({ now, maxAge }: TargetsQuestion, answer: (usable: Usable) => T): Promise<T | NotVouched | Unknown> {
    this.#askedAt = Math.max(this.#askedAt, now.getTime());
    try {
      await this.#load();
      if (this.#isDue(now, maxAge)) {
        await this.#refresh(now);
        // The refresh that was joined may have begun too long ago for a small `maxAge`.
        if (this.#isTooOld(now, maxAge)) await this.#refresh(now);
      }
      return answer(this.#usable(now, maxAge));
    } catch (error) {
      const finding = deniedFinding(error);
      // What a refresh came to was logged when it did.
      const isNew = finding.reason === 'INTERNAL' && !(error instanceof Undetermined);
      if (isNew) this.#options.log.error({ gun: this.gun, err: error }, UNEXPECTED);
      return finding;
    }
  }

  /** Refreshes if it is in use and would otherwise grow old. Never throws; what goes wrong is logged. */
  async keepFresh(now: Date): Promise<void> {
    const state = this.#state;
    const idle = now.getTime() - this.#askedAt > IN_USE_MS;
    // One that fails is looked at, though seldom, until it is well again: else the status would tell of it for good.
    if (state === undefined || (idle && this.#failure === undefined)) return;
    const lifetime = coreExpiry(state.repository).getTime() - state.refreshedAt.getTime();
    const age = now.getTime() - state.refreshedAt.getTime();
    const paused = this.#failure !== undefined && isPaused(this.#failure, now, idle ? BACKGROUND_AGE_MS : 0);
    if (!paused && age >= Math.min(BACKGROUND_AGE_MS, lifetime / 2)) await this.#refresh(now);
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#loading, this.#flight]);
  }

  /** @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable. Tried again at the next question: it may have been mended. */
  async #load(): Promise<void> {
    if (this.#loaded) return;
    this.#loading ??= this.#readStore().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #readStore(): Promise<void> {
    const { store, gun, pin, refresh, now } = this.#options;
    const remembered = await store.load().catch((error: unknown) => {
      this.#unread = failureOf(error, now(), { refresh, before: undefined });
      throw error;
    });
    this.#unread = undefined;
    this.#state =
      remembered &&
      stateOf(remembered.repository, remembered.refreshedAt, isAnchored(remembered.repository.chain, pin, gun));
    this.#loaded = true;
  }

  #isDue(now: Date, maxAge: number): boolean {
    if (this.#failure !== undefined) return !isPaused(this.#failure, now);
    const state = this.#state;
    if (state === undefined || !state.anchored || now >= coreExpiry(state.repository)) return true;
    const age = now.getTime() - state.refreshedAt.getTime();
    return age < -CLOCK_TOLERANCE_MS || age >= Math.min(this.#options.refresh, maxAge);
  }

  #isTooOld(now: Date, maxAge: number): boolean {
    if (this.#failure !== undefined || this.#state === undefined) return false;
    return now.getTime() - this.#state.refreshedAt.getTime() > maxAge;
  }

  async #refresh(now: Date): Promise<void> {
    this.#flight ??= this.#ask(now).finally(() => {
      this.#flight = undefined;
    });
    await this.#flight;
  }

  async #ask(now: Date): Promise<void> {
    const { gun, pin, source, budget, refresh } = this.#options;
    const previous = this.#state?.repository;
    try {
      const repository = await withinBudget(update({ gun, pin, source, previous, now }), budget);
      if (repository !== previous) await this.#replace(previous, repository, now);
      else await this.#touch(now);
      const index = repository === previous ? this.#state?.index : undefined;
      this.#state = stateOf(repository, now, true, index);
      this.#failure = undefined;
    } catch (error) {
      if (error instanceof StateUnwritable) this.#forget();
      this.#failure = failureOf(error, this.#options.now(), { refresh, before: this.#failure });
      logFailure(this.#options.log, gun, this.#failure, error);
    }
  }

  async #replace(previous: TrustedRepository | undefined, repository: TrustedRepository, now: Date): Promise<void> {
    const { store, pin, log } = this.#options;
    await store.save(repository, now);
    logReplaced(log, pin, previous, repository);
  }

  async #touch(now: Date): Promise<void> {
    try {
      await this.#options.store.touch(now);
    } catch (error) {
      // Only the time of this refresh is lost: after a restart trust looks older than it is.
      this.#options.log.warn({ gun: this.#options.gun, err: error }, 'the time of the refresh could not be written');
    }
  }

  /** The disk may have either state now; only what it has may be built upon. */
  #forget(): void {
    this.#state = undefined;
    this.#loaded = false;
  }

  #vouch({ reference, now }: Question, { repository, refreshedAt, index, notes }: Usable): Finding {
    const { rules, pin } = this.#options;
    try {
      const resolution: Resolution =
        reference.kind === 'tag'
          ? resolveTag(repository, reference.tag, rules, now)
          : index.resolve(reference.digest, rules, now);
      const digest = reference.kind === 'tag' ? resolution.digest : reference.digest;
      return vouchedFinding({ digest, resolution, repository, refreshedAt, pin, notes });
    } catch (error) {
      throw error instanceof MetadataError ? error.after([...notes, ...repositorySteps(repository)]) : error;
    }
  }

  /** @throws MetadataError, Undetermined when nothing may be relied on */
  #usable(now: Date, maxAge: number): Usable {
    const state = this.#state;
    const failure = this.#failure;
    // An answer that is not acceptable is no outage: what is remembered must not stand in for it.
    if (failure !== undefined && (failure.kind !== 'unreachable' || failure.answer !== undefined)) throw failure.error;
    // Remembered under a pin that has changed since: good for its versions, not for its word.
    if (state?.anchored !== true) {
      throw failure?.error ?? new RangeError('expected a state after a refresh without failure, got none');
    }
    const age = now.getTime() - state.refreshedAt.getTime();
    const stale = age > maxAge || age < -CLOCK_TOLERANCE_MS || now >= coreExpiry(state.repository);
    if (failure === undefined && !stale) return { ...state, notes: [] };
    const since = `trust was last refreshed ${state.refreshedAt.toISOString()}`;
    if (stale) throw staleness(since, state, failure, now);
    return {
      ...state,
      notes: [{ ...faultStep(failure?.error.message ?? ''), text: `${since}: ${failure?.error.message}` }],
    };
  }
}
