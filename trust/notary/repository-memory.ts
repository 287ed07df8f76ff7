import type { Gun } from './gun.ts';
import type { RepositoryTrust } from './repository-trust.ts';

/** Repositories kept in memory; the others are read from disk when they are asked about again. */
const REPOSITORY_LIMIT = 1_000;

/** Bytes of metadata kept in memory, all repositories together. Parsed, they take several times as much. */
const MEMORY_LIMIT = 64 * 1024 * 1024;

/** Which repositories are in memory: the least recently asked about leaves first, but never one that is being refreshed. */
export class RepositoryMemory {
  readonly #make: (gun: Gun) => RepositoryTrust;
  readonly #left: (trust: RepositoryTrust) => void;
  readonly #limits: { readonly repositories: number; readonly bytes: number };
  /** In the order of their last use. */
  readonly #kept = new Map<Gun, RepositoryTrust>();

  /** @param left told of each that leaves */
  constructor(
    make: (gun: Gun) => RepositoryTrust,
    limits = { repositories: REPOSITORY_LIMIT, bytes: MEMORY_LIMIT },
    left: (trust: RepositoryTrust) => void = () => undefined,
  ) {
    this.#make = make;
    this.#left = left;
    this.#limits = limits;
  }

  /** All that are in memory. */
  all(): readonly RepositoryTrust[] {
    return [...this.#kept.values()];
  }

  /** Does the work with the repository's trust. It is not forgotten before the work is done. */
  async using<T>(gun: Gun, work: (trust: RepositoryTrust) => Promise<T>): Promise<T> {
    const trust = this.#kept.get(gun) ?? this.#make(gun);
    this.#kept.delete(gun);
    this.#kept.set(gun, trust);
    try {
      return await work(trust);
    } finally {
      this.#shrink();
    }
  }

  #shrink(): void {
    let bytes = this.all().reduce((sum, { size }) => sum + size, 0);
    for (const [gun, trust] of this.#kept) {
      if (this.#kept.size <= this.#limits.repositories && bytes <= this.#limits.bytes) return;
      if (trust.busy) continue;
      bytes -= trust.size;
      this.#kept.delete(gun);
      this.#left(trust);
    }
  }
}
