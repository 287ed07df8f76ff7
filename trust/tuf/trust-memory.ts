import type { Log } from '../../oci/log.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { failureOf, type RefreshFailure } from '../refresh/refresh-failure.ts';
import { type Floors, isAnotherRepository, NO_FLOORS, withRoot } from './floors.ts';
import type { LoadedState } from './load-state.ts';
import { logNews } from './news.ts';
import type { Repository } from './repository.ts';
import { lineageOf, type RootChain, type RootFile } from './root-chain.ts';
import type { Staging } from './staging.ts';
import { rememberedState, type State, stateOf } from './state.ts';
import type { Seen } from './state-record.ts';
import type { RepositoryStore } from './store.ts';

export interface TrustMemoryOptions {
  readonly pinned: RootFile;
  readonly store: RepositoryStore;
  readonly staging: Staging;
  /** Milliseconds for which a successful refresh is used without asking the source again. */
  readonly refresh: number;
  readonly log: Log;
  readonly now: () => Date;
}

/** What is trusted of one TUF repository and what was ever seen of it: owns both, in memory and on disk. */
export class TrustMemory {
  readonly #options: TrustMemoryOptions;
  #state: State | undefined;
  #seen: Seen | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #recalled: State | undefined;
  #unread: RefreshFailure | undefined;

  constructor(options: TrustMemoryOptions) {
    this.#options = options;
  }

  /** What is trusted, once it is loaded. */
  get state(): State | undefined {
    return this.#state;
  }

  /** The same for a status: before it is loaded, what was recalled. */
  get told(): State | undefined {
    return this.#loaded ? this.#state : this.#recalled;
  }

  /** Version of the newest root that was seen, whatever else was found good with it; undefined before any. */
  get newestRoot(): number | undefined {
    return this.#seen?.floors.get('root')?.version;
  }

  /** Why what is on disk could not be read; undefined when it could. */
  get unread(): RefreshFailure | undefined {
    return this.#loaded ? undefined : this.#unread;
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await this.#loading?.catch(() => undefined); // whoever asked is told
  }

  /** Has `told` and `unread` be what is on disk. Changes nothing. */
  async recall(): Promise<void> {
    if (this.#loaded) return;
    try {
      this.#recalled = rememberedState(await this.#noted(this.#options.store.peek()), this.#options.pinned);
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
    }
  }

  /** @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable. Tried again at the next question: it may have been mended. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    this.#loading ??= this.#readStore().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #readStore(): Promise<void> {
    const { store, staging } = this.#options;
    await staging.clear();
    const loaded = await this.#noted(store.load());
    this.#seen = loaded.seen;
    this.#state = rememberedState(loaded, this.#options.pinned);
    this.#recalled = undefined;
    this.#loaded = true;
  }

  /** Why what is on disk cannot be had, for the status. */
  async #noted(reading: Promise<LoadedState>): Promise<LoadedState> {
    const { refresh, now } = this.#options;
    try {
      const loaded = await reading;
      this.#unread = undefined;
      return loaded;
    } catch (error) {
      this.#unread = failureOf(error, now(), { refresh, before: undefined });
      throw error;
    }
  }

  /** Before anything else is looked at: what is remembered under an earlier root is then good for its versions only. */
  async keepRoots(chain: RootChain, now: Date): Promise<void> {
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
  ground(): { readonly previous: Repository | undefined; readonly floors: Floors } {
    const { pinned, log } = this.#options;
    if (this.#seen === undefined) return { previous: undefined, floors: NO_FLOORS };
    if (!isAnotherRepository(this.#seen, pinned)) {
      return { previous: this.#state?.repository, floors: this.#seen.floors };
    }
    log.warn({ root: pinned.metadata.version }, 'the pinned root is that of another repository: versions begin anew');
    return { previous: undefined, floors: NO_FLOORS };
  }

  async replace(previous: Repository | undefined, repository: Repository, refreshedAt: Date): Promise<void> {
    const { store, pinned } = this.#options;
    const known = this.#seen?.floors.get('timestamp');
    const isRenewed = known?.signedHash !== repository.timestamp.signedHash;
    const renewedAt = isRenewed ? refreshedAt : (this.#seen?.renewedAt ?? refreshedAt);
    await store.save(repository, refreshedAt, renewedAt);
    this.#seen = { floors: repository.floors, lineage: lineageOf(repository.chain), renewedAt };
    this.#state = stateOf(repository, { refreshedAt, renewedAt }, pinned);
    logNews(this.#options.log, previous, repository);
  }

  async touch(refreshedAt: Date): Promise<void> {
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
  forget(): void {
    this.#state = undefined;
    this.#loaded = false;
  }
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
