import type { Log } from '../../oci/log.ts';
import type { Finding, Question } from '../authority.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { deniedFinding } from '../refresh/denied-finding.ts';
import { failureOf, isPaused, type RefreshFailure } from '../refresh/refresh-failure.ts';
import { withinBudget } from '../refresh/within-budget.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { TrustStatus } from '../status.ts';
import { coreExpiry } from './assemble.ts';
import { repositorySteps } from './evidence.ts';
import { vouchedFinding } from './finding.ts';
import { type Floors, isAnotherRepository, isSuperseded, NO_FLOORS, withRoot } from './floors.ts';
import { logFailure, logNews } from './news.ts';
import type { Repository } from './repository.ts';
import { resolveDigest, resolveTag } from './resolve.ts';
import { isAnchored, lineageOf, type RootChain, type RootFile } from './root-chain.ts';
import type { MetadataSource } from './source.ts';
import type { Staging } from './staging.ts';
import { CLOCK_TOLERANCE_MS, type State, stateOf, trustStatusOf, usableState } from './state.ts';
import type { Seen } from './state-record.ts';
import type { RepositoryStore } from './store.ts';
import type { TargetName } from './target-name.ts';
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
  readonly #kept = new Map<string, Uint8Array>();
  #state: State | undefined;
  #seen: Seen | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #flight: Promise<void> | undefined;
  #failure: RefreshFailure | undefined;

  constructor(options: TufTrustOptions) {
    this.#options = options;
  }

  status(): TrustStatus {
    return trustStatusOf(this.#options.source.address, this.#state, this.#failure);
  }

  async judge(question: Question): Promise<Finding> {
    try {
      await this.#load();
      if (this.#isDue(question.now, question.maxAge)) {
        await this.#refresh(question.now);
        // The refresh that was joined may have begun too long ago for a small `maxAge`.
        if (this.#isTooOld(question.now, question.maxAge)) await this.#refresh(question.now);
      }
      return this.#vouch(question);
    } catch (error) {
      return this.#findingOf(error);
    }
  }

  /** Refreshes what would otherwise grow old. Never throws; what goes wrong is logged. */
  async keepFresh(now: Date): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the trust state could not be read');
      return;
    }
    const state = this.#state;
    const paused = this.#failure !== undefined && isPaused(this.#failure, now);
    if (paused) return;
    const lifetime = state === undefined ? 0 : coreExpiry(state.repository).getTime() - state.refreshedAt.getTime();
    const age = state === undefined ? 0 : now.getTime() - state.refreshedAt.getTime();
    if (age >= Math.min(BACKGROUND_AGE_MS, lifetime / 2)) await this.#refresh(now);
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
    const { store, staging, pinned } = this.#options;
    await staging.clear();
    const { remembered, seen } = await store.load();
    this.#seen = seen;
    this.#state =
      remembered &&
      stateOf(remembered.repository, {
        refreshedAt: remembered.refreshedAt,
        renewedAt: seen?.renewedAt ?? remembered.refreshedAt,
        anchored:
          isAnchored(remembered.repository.chain, pinned) &&
          !isSuperseded(remembered.repository.chain, seen?.floors ?? NO_FLOORS),
      });
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
    const { pinned, source, staging, budget, refresh } = this.#options;
    try {
      if (!this.#loaded) await this.#load();
      const ends = performance.now() + budget;
      const request = { source, pinned, ...this.#ground(), kept: this.#kept, staging, now };
      const { previous } = request;
      const look = await withinBudget(lookAtRoots(request), budget);
      await this.#keepRoots(look.chain, now);
      const repository = await withinBudget(update(request, look), Math.max(1, Math.ceil(ends - performance.now())));
      if (repository === previous) await this.#touch(now);
      else await this.#replace(previous, repository, now);
      this.#kept.clear();
      this.#failure = undefined;
    } catch (error) {
      if (error instanceof StateUnwritable) this.#forget();
      this.#failure = failureOf(error, this.#options.now(), { refresh, before: this.#failure });
      // A file that was not acceptable is asked for again, or one bad answer would be the last.
      if (this.#failure.kind !== 'unreachable') this.#kept.clear();
      logFailure(this.#options.log, error, this.#failure);
    }
  }

  /** Before anything else is looked at: what is remembered under an earlier root is then good for its versions only. */
  async #keepRoots(chain: RootChain, now: Date): Promise<void> {
    const { store, pinned } = this.#options;
    const { floors = NO_FLOORS, renewedAt = now } = this.#seen ?? {};
    const known = floors.get('root')?.version ?? pinned.metadata.version;
    if (chain.current.metadata.version <= known) return;
    if (this.#seen !== undefined && isAnotherRepository(this.#seen, pinned)) return;
    const seen = { floors: withRoot(floors, chain), lineage: lineageOf(chain), renewedAt };
    await store.see(seen);
    this.#seen = seen;
    this.#state = this.#state && { ...this.#state, anchored: false };
  }

  /** What a refresh builds upon. */
  #ground(): { readonly previous: Repository | undefined; readonly floors: Floors } {
    const { pinned, log } = this.#options;
    if (this.#seen === undefined) return { previous: undefined, floors: NO_FLOORS };
    if (!isAnotherRepository(this.#seen, pinned)) {
      return { previous: this.#state?.repository, floors: this.#seen.floors };
    }
    log.warn({ root: pinned.metadata.version }, 'the pinned root is that of another repository: versions begin anew');
    return { previous: undefined, floors: NO_FLOORS };
  }

  async #replace(previous: Repository | undefined, repository: Repository, refreshedAt: Date): Promise<void> {
    const { store, pinned } = this.#options;
    const known = this.#seen?.floors.get('timestamp');
    const isRenewed = known?.signedHash !== repository.timestamp.signedHash;
    const renewedAt = isRenewed ? refreshedAt : (this.#seen?.renewedAt ?? refreshedAt);
    await store.save(repository, refreshedAt, renewedAt);
    this.#seen = { floors: repository.floors, lineage: lineageOf(repository.chain), renewedAt };
    const anchored = isAnchored(repository.chain, pinned);
    this.#state = stateOf(repository, { refreshedAt, renewedAt, anchored });
    logNews(this.#options.log, previous, repository);
  }

  async #touch(refreshedAt: Date): Promise<void> {
    const before = this.#state;
    // A clock that was ahead must not make a frozen timestamp young for as long as it was.
    if (before !== undefined)
      this.#state = { ...before, refreshedAt, renewedAt: earlier(before.renewedAt, refreshedAt) };
    try {
      await this.#options.store.touch(refreshedAt);
    } catch (error) {
      // Only the time of this refresh is lost: after a restart trust looks older than it is.
      this.#options.log.warn({ err: error }, 'the time of the refresh could not be written');
    }
  }

  /** The disk may have either state now; only what it has may be built upon. */
  #forget(): void {
    this.#state = undefined;
    this.#loaded = false;
  }

  #vouch({ name, reference, now, maxAge }: Question): Finding {
    const { repository, renewedAt, version, index, notes } = usableState(this.#state, this.#failure, now, maxAge);
    const { names, accepted } = this.#options;
    const looking = { repository, index, names, accepted, now };
    try {
      const resolution =
        reference.kind === 'tag'
          ? resolveTag(looking, name, reference.tag)
          : resolveDigest(looking, name, reference.digest);
      return vouchedFinding(reference, resolution, { repository, renewedAt, version, notes });
    } catch (error) {
      throw error instanceof MetadataError ? error.after([...notes, ...repositorySteps(repository)]) : error;
    }
  }

  #findingOf(error: unknown): Finding {
    const finding = deniedFinding(error);
    if (finding.reason === 'INTERNAL') this.#options.log.error({ err: error }, 'unexpected error in a judgement');
    return finding;
  }
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
