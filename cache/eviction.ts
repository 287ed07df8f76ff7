import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { FillError } from './fill-error.ts';

/** A file that was hashed whole by this process and found right, as it was then (`FileFacts.fingerprint`). */
export interface Checked {
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Content on disk. `size` in bytes. */
export interface Kept {
  readonly digest: Digest;
  readonly size: number;
  readonly checked?: Checked;
}

/** A disk that lets nothing be removed is not asked for every file it has. */
const REMOVAL_FAILURES = 3;

/**
 * What is on disk, in the order of its use, so that the least recently used goes first. Every step is O(1).
 * lru-cache keeps order and sizes; its own eviction is not used, because it could not wait for a removal,
 * nor take one back that failed: what is still on disk is still counted.
 */
export class Eviction {
  readonly #kept: LRUCache<Digest, Kept>;
  readonly #remove: (digest: Digest) => Promise<void>;
  readonly #log: Log;

  constructor(options: { readonly remove: (digest: Digest) => Promise<void>; readonly log: Log }) {
    this.#remove = options.remove;
    this.#log = options.log;
    this.#kept = new LRUCache({
      maxSize: Number.MAX_SAFE_INTEGER,
      // lru-cache takes no size of 0: the empty blob counts as one byte.
      sizeCalculation: (kept) => Math.max(1, kept.size),
    });
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Looks it up and makes it the most recently used. */
  use(digest: Digest): Kept | undefined {
    return this.#kept.get(digest);
  }

  /** Remembers it, or what is now known of it, as the most recently used. */
  keep(kept: Kept): void {
    this.#kept.set(kept.digest, kept);
  }

  /** Forgets that it was checked; what is known of it now. */
  doubt(digest: Digest): Kept | undefined {
    const kept = this.#kept.peek(digest);
    if (kept === undefined) return undefined;
    const doubted: Kept = { digest, size: kept.size };
    this.#kept.set(digest, doubted);
    return doubted;
  }

  /** Nothing when another took its place meanwhile. */
  forget(kept: Kept): void {
    if (this.#kept.peek(kept.digest) === kept) this.#kept.delete(kept.digest);
  }

  /** A copy: it stays as it is while the order changes. */
  leastRecentFirst(): Kept[] {
    return [...this.#kept.rvalues()].filter((kept) => kept !== undefined);
  }

  /**
   * Removes the least recently used until at most so many bytes are left. A file being read stays readable.
   * @throws FillError disk when files cannot be removed; they are still counted then.
   */
  async shrinkTo(bytes: number): Promise<void> {
    let failures = 0;
    while (this.bytes > bytes) {
      const oldest = this.#kept.pop();
      if (oldest === undefined) return;
      try {
        await this.#remove(oldest.digest);
        this.#log.debug({ digest: oldest.digest, size: oldest.size }, 'evicted the least recently used blob');
      } catch (cause) {
        if (!this.#kept.has(oldest.digest)) this.keep(oldest);
        this.#log.warn({ digest: oldest.digest, err: cause }, 'a blob could not be evicted');
        failures += 1;
        if (failures === REMOVAL_FAILURES) {
          throw new FillError('disk', 'expected room after evicting, got files that cannot be removed', { cause });
        }
      }
    }
  }
}
