import { join } from 'node:path';
import type { Log } from '../../oci/log.ts';
import type { MetadataFetch } from '../fetch-metadata.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { everyMilliseconds, type Schedule } from '../refresh/schedule.ts';
import { type Disk, NODE_DISK } from '../state/disk.ts';
import type { TrustStatus } from '../status.ts';
import { coreExpiry } from '../tuf/assemble.ts';
import { FreshRepository } from '../tuf/fresh-repository.ts';
import { httpSource } from '../tuf/http-source.ts';
import type { Repository } from '../tuf/repository.ts';
import { type RootFile, readRoot } from '../tuf/root-chain.ts';
import { Staging } from '../tuf/staging.ts';
import type { State } from '../tuf/state.ts';
import { RepositoryStore } from '../tuf/store.ts';
import { TargetFile } from '../tuf/target-file.ts';
import { type KnownRoot, staleRoot, usableRoot } from './root-age.ts';
import { SigstoreError } from './sigstore-error.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';
import type { CurrentRoot, TrustedRootSource } from './trusted-root-source.ts';

/** A trusted root that was there before anything was fetched. */
export interface Seed {
  readonly bytes: Uint8Array;
  /** The day it was known to be the one in force. */
  readonly asOf: Date;
}

export interface TufTrustedRootOptions {
  /** What it is, for people. */
  readonly name: string;
  /** The TUF repository: metadata under it, targets in `targets/`. http or https. */
  readonly mirror: string;
  readonly fetch: MetadataFetch;
  /** The bytes of the root.json at which trust begins. */
  readonly pin: Uint8Array;
  /** The path of the trusted root among the targets. */
  readonly target: string;
  readonly seed?: Seed | undefined;
  /** Holds all that is kept of it, and nothing else. */
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

/** The public good one has 7 KiB. */
const TRUSTED_ROOT_LIMIT = 1024 * 1024;

const REFRESH_BUDGET_MS = 20_000;

/** How often is looked whether it grows old. */
const BACKGROUND_TICK_MS = 60_000;

/** After a failure the background waits so long: there are weeks, and a network without a way out is no reason to fill a log. */
const PATIENCE_MS = 10 * 60_000;

/** It is asked for in the background; this is how long an answer is not asked for twice. */
const REFRESH_MS = 60_000;

/**
 * The trusted root of a Sigstore instance, kept fresh through TUF. It is used for as long as the operator allows after the last time it
 * was found to be the one in force; where the repository was reached and its answer is not acceptable, no longer than its metadata is
 * signed for; and not at all once a newer root of the repository was seen with which it was not found good.
 */
export class TufTrustedRoot implements TrustedRootSource {
  readonly name: string;
  readonly #options: TufTrustedRootOptions;
  readonly #pinned: RootFile;
  readonly #repository: FreshRepository;
  readonly #file: TargetFile;
  readonly #seed: KnownRoot | undefined;
  /** By the SHA-256 of their bytes: the one in use, and one that is to be. */
  readonly #roots = new Map<string, TrustedRoot>();
  #stop: (() => void) | undefined;
  #background: Promise<void> | undefined;

  /** @throws MetadataError for a pin that is no root.json signed by its own keys; SigstoreError for a seed that is no trusted root */
  constructor(options: TufTrustedRootOptions) {
    const { name, mirror, fetch, seed, folder, floors, readOnly, log, now, disk = NODE_DISK } = options;
    this.name = name;
    this.#options = options;
    this.#pinned = readRoot(options.pin);
    const signedUntil = this.#pinned.metadata.expires;
    this.#seed = seed && { root: parseTrustedRoot(seed.bytes), since: seed.asOf, signedUntil };
    if (this.#seed !== undefined) this.#roots.set(this.#seed.root.version, this.#seed.root);
    const metadata = join(folder, 'metadata');
    const base = `${mirror.replace(/\/+$/, '')}/targets`;
    const targets = join(folder, 'targets');
    this.#file = new TargetFile({
      path: options.target,
      base,
      fetch,
      limit: TRUSTED_ROOT_LIMIT,
      folder: targets,
      disk,
      readOnly,
    });
    this.#repository = new FreshRepository({
      pinned: this.#pinned,
      source: httpSource(mirror, fetch),
      store: new RepositoryStore({ folder: metadata, floors, disk }, readOnly),
      staging: new Staging(readOnly ? undefined : metadata),
      refresh: REFRESH_MS,
      budget: options.budget ?? REFRESH_BUDGET_MS,
      log,
      now,
      prepare: (repository, at) => this.#prepare(repository, at),
    });
  }

  /** Refreshes it now and from time to time, until it is closed. */
  start(): void {
    const work = () => {
      this.#background ??= this.keepFresh().finally(() => {
        this.#background = undefined;
      });
    };
    this.#stop ??= (this.#options.schedule ?? everyMilliseconds)(work, BACKGROUND_TICK_MS);
    work();
  }

  /** Asks nobody while what is known may be used: that is for the background to do, in nobody's way. */
  async current(now: Date, maxAge: number): Promise<CurrentRoot> {
    const before = await this.#known();
    const usable = before && usableRoot(before, this.#repository.failure, now, maxAge);
    if (usable !== undefined) return usable;
    await this.#repository.ask(now);
    // Read again: where what came could not be written, what is on disk counts.
    const known = await this.#known();
    const { failure } = this.#repository;
    if (known === undefined) {
      throw failure?.error ?? new RangeError('expected a trusted root after a refresh without failure, got none');
    }
    const asked = usableRoot(known, failure, now, maxAge);
    if (asked === undefined) throw staleRoot(this.name, known, failure, now, maxAge);
    return asked;
  }

  status(maxAge: number): TrustStatus {
    const status = this.#repository.status();
    const of = `trusted root (${this.name})`;
    if (status.refreshedAt !== undefined || this.#seed === undefined) return { ...status, of };
    const { version, expires } = this.#pinned.metadata;
    const end = new Date(this.#seed.since.getTime() + maxAge);
    const brought = { what: 'trusted root that came with this version', at: end };
    return { ...status, of, versions: { root: version }, expiries: [{ what: 'root', at: expires }, brought] };
  }

  recall(): Promise<void> {
    return this.#repository.recall();
  }

  /** Refreshes what grows old; what the background work does at each tick. Never throws. */
  keepFresh(): Promise<void> {
    return this.#repository.keepFresh(this.#options.now(), PATIENCE_MS);
  }

  /** Stops background work and waits for what is under way, so that nothing writes any more. */
  async close(): Promise<void> {
    this.#stop?.();
    await this.#background;
    await this.#repository.settle();
  }

  /** @throws MetadataError TRUST_STATE_DAMAGED, StateUnwritable */
  async #known(): Promise<KnownRoot | undefined> {
    await this.#repository.load();
    const { state, newestRoot } = this.#repository;
    if (state !== undefined) return await this.#remembered(state);
    // A later root was seen and nothing good with it: whoever signed what came along may have lost a key since.
    return newestRoot > this.#pinned.metadata.version ? undefined : this.#seed;
  }

  async #remembered({ repository, anchored, refreshedAt }: State): Promise<KnownRoot | undefined> {
    // Remembered under another root than the newest, or than the one that is pinned: good for its versions, not for its word.
    if (!anchored) return undefined;
    const { sha256 } = this.#file.named(repository, refreshedAt);
    const root = this.#roots.get(sha256) ?? (await this.#stored(sha256));
    return root && { root, since: refreshedAt, signedUntil: coreExpiry(repository) };
  }

  async #stored(sha256: string): Promise<TrustedRoot | undefined> {
    const bytes = await this.#file.stored(sha256);
    if (bytes === undefined) return undefined;
    const root = parseTrustedRoot(bytes);
    this.#roots.set(sha256, root);
    return root;
  }

  /** Its bytes are there, and are a trusted root, before the metadata that names them is relied on. */
  async #prepare(repository: Repository, now: Date): Promise<() => Promise<void>> {
    const named = this.#file.named(repository, now);
    const { sha256 } = named;
    const stored = await this.#file.stored(sha256);
    const bytes = stored ?? (await this.#file.fetched(repository, named));
    const root = parsed(bytes);
    return async () => {
      const before = this.#repository.state;
      const still = before && this.#file.named(before.repository, before.refreshedAt).sha256;
      if (stored === undefined) await this.#file.keep(sha256, bytes, still);
      for (const one of this.#roots.keys())
        if (one !== still && one !== this.#seed?.root.version) this.#roots.delete(one);
      this.#roots.set(sha256, root);
    };
  }
}

/** Signed and unusable is an answer that is not acceptable, as any other. */
function parsed(bytes: Uint8Array): TrustedRoot {
  try {
    return parseTrustedRoot(bytes);
  } catch (cause) {
    if (cause instanceof SigstoreError) throw new MetadataError(cause.reason, cause.message, { cause });
    throw cause;
  }
}
