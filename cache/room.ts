import type { Eviction } from './eviction.ts';
import { FillError } from './fill-error.ts';

/** A fill's right to the disk. `kept`: the content may stay when whole, else it is removed after its last reader. */
export interface Claim {
  readonly kept: boolean;
  /** Makes room for the next bytes, which are about to be written. @throws FillError disk */
  take(bytes: number): Promise<void>;
  /** Gives back what was claimed. Once the content counts as kept, or is gone; a second time changes nothing. */
  release(): void;
}

/**
 * Shares `maxSize` bytes between what is kept and what is being filled. Fills that will not fit beside each
 * other are not kept, and there is at most one of those at a time: so the disk never has more than `maxSize` and one
 * fill. Room is made as bytes arrive, not before: an upstream that is down evicts nothing.
 */
export class Room {
  readonly #maxSize: number;
  readonly #eviction: Eviction;
  readonly #freeBytes: () => Promise<number | undefined>;
  /** Bytes that running fills will have in the end, and of those the ones that are on disk. */
  #claimed = 0;
  #written = 0;
  /** Bytes that running fills, also the one that is not kept, have still to write. */
  #outstanding = 0;
  #passing = false;

  constructor(options: {
    readonly maxSize: number;
    readonly eviction: Eviction;
    readonly freeBytes: () => Promise<number | undefined>;
  }) {
    this.#maxSize = options.maxSize;
    this.#eviction = options.eviction;
    this.#freeBytes = options.freeBytes;
  }

  /** @throws FillError disk when the content cannot be on the disk, even for a while. */
  async claim(size: number): Promise<Claim> {
    const kept = size <= this.#maxSize - this.#claimed;
    if (!kept && this.#passing) {
      throw new FillError(
        'disk',
        `expected room for ${size} bytes, got a cache of ${this.#maxSize} with fills under way`,
      );
    }
    const claim = kept ? this.#keepingClaim(size) : this.#passingClaim(size);
    try {
      const missing = await this.#missing(kept ? this.#eviction.bytes : 0);
      return missing === 0 ? claim : { ...claim, take: this.#firstFreeing(missing, claim) };
    } catch (cause) {
      claim.release();
      throw cause;
    }
  }

  /** Bytes to evict because the disk, whatever `maxSize` says, has too few left. */
  async #missing(evictable: number): Promise<number> {
    const free = await this.#freeBytes();
    if (free === undefined || free >= this.#outstanding) return 0;
    const missing = this.#outstanding - free;
    if (missing > evictable) {
      throw new FillError('disk', `expected ${this.#outstanding} bytes free on the disk, got ${free}`);
    }
    return missing;
  }

  #firstFreeing(missing: number, claim: Claim): Claim['take'] {
    let freed: Promise<void> | undefined;
    return async (bytes) => {
      freed ??= this.#eviction.shrinkTo(Math.max(0, this.#eviction.bytes - missing));
      await freed;
      await claim.take(bytes);
    };
  }

  #keepingClaim(size: number): Claim {
    this.#claimed += size;
    this.#outstanding += size;
    let written = 0;
    return {
      kept: true,
      take: async (bytes) => {
        written += bytes;
        this.#written += bytes;
        this.#outstanding -= bytes;
        await this.#eviction.shrinkTo(this.#maxSize - this.#written);
      },
      release: once(() => {
        this.#claimed -= size;
        this.#written -= written;
        this.#outstanding -= size - written;
      }),
    };
  }

  #passingClaim(size: number): Claim {
    this.#passing = true;
    this.#outstanding += size;
    let written = 0;
    return {
      kept: false,
      take: async (bytes) => {
        written += bytes;
        this.#outstanding -= bytes;
      },
      release: once(() => {
        this.#passing = false;
        this.#outstanding -= size - written;
      }),
    };
  }
}

function once(step: () => void): () => void {
  let taken = false;
  return () => {
    if (taken) return;
    taken = true;
    step();
  };
}
