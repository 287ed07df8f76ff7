import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/** A trusted root as it stands now. */
export interface CurrentRoot {
  readonly root: TrustedRoot;
  /** When it was last fetched and found good; for a file, whenever it is asked. */
  readonly refreshedAt: Date;
  /** When what brought it ends; undefined for what does not end by itself. */
  readonly validUntil: Date | undefined;
}

/** Where the trusted root comes from: a file, what this version brings, or a repository that keeps it fresh. */
export interface TrustedRootSource {
  /** What it is, for people: `public good`, or a path. */
  readonly name: string;
  /**
   * @throws SigstoreError when it is not acceptable; SourceUnavailable when it could not be fetched
   */
  current(now: Date): Promise<CurrentRoot>;
  /** The same from memory; undefined before the first. */
  known(): CurrentRoot | undefined;
  close(): Promise<void>;
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

  known(): CurrentRoot | undefined {
    return this.#asked && { root: this.#root, refreshedAt: this.#asked, validUntil: undefined };
  }

  async close(): Promise<void> {
    this.#asked = undefined;
  }
}
