import type { EvidenceStep } from '../evidence.ts';
import type { TrustStatus } from '../status.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/** A trusted root as it stands now. */
export interface CurrentRoot {
  readonly root: TrustedRoot;
  /** What a rule's freshness counts from. Whose age has a limit of its own, or is a person's matter, says when it was asked. */
  readonly refreshedAt: Date;
  /** When it may no longer be used; undefined for what does not end by itself. */
  readonly validUntil: Date | undefined;
  /** What is to be said about its freshness. */
  readonly notes?: readonly EvidenceStep[];
}

/** Where the trusted root comes from: a file, or a repository that keeps it fresh. Several authorities may share one. */
export interface TrustedRootSource {
  /** What it is, for people: `public good`, or a path. */
  readonly name: string;
  /**
   * @param maxAge milliseconds for which one that is kept fresh may be used when it cannot be refreshed
   * @throws SigstoreError, MetadataError when it is not acceptable; Undetermined, SourceUnavailable when it could not be fetched
   */
  current(now: Date, maxAge: number): Promise<CurrentRoot>;
  /** How it stands, from memory. */
  status(maxAge: number): TrustStatus;
  /** Has `status` know what is kept on disk. */
  recall(): Promise<void>;
}

/**
 * A trusted_root.json that a person has chosen: it is as fresh as whoever chose it keeps it.
 * @throws SigstoreError METADATA_INVALID
 */
export class FixedRoot implements TrustedRootSource {
  readonly name: string;
  readonly #root: TrustedRoot;
  #asked: Date | undefined;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#root = parseTrustedRoot(bytes);
  }

  async current(now: Date): Promise<CurrentRoot> {
    this.#asked = now;
    return { root: this.#root, refreshedAt: now, validUntil: undefined };
  }

  status(): TrustStatus {
    const of = `trusted root (${this.name})`;
    return { of, refreshedAt: this.#asked, failure: undefined, versions: {}, expiries: [] };
  }

  async recall(): Promise<void> {
    // It is in memory from the start.
  }
}
