import type { Finding } from '../authority.ts';

/** What was found, and when it was looked for. */
export interface Kept {
  readonly finding: Finding;
  /** When the registry last answered. */
  readonly lookedAt: number;
  /** When it was last asked: later, where what was found before stands in for an answer. */
  readonly triedAt: number;
}

/** Images whose findings are remembered: the least recently asked about is forgotten first. */
const KEPT_LIMIT = 10_000;

/** Findings by question. Equal questions at once share one search, and its failure. */
export class KeptFindings {
  readonly #kept = new Map<string, Kept>();
  readonly #flights = new Map<string, Promise<Kept>>();

  get(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#put(key, kept);
    return kept;
  }

  /** @param find must not throw */
  find(key: string, find: () => Promise<Kept>): Promise<Kept> {
    const under = this.#flights.get(key);
    if (under !== undefined) return under;
    const flight = find()
      .then((kept) => {
        this.#put(key, kept);
        return kept;
      })
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#flights.values());
  }

  #put(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_LIMIT) break;
      this.#kept.delete(oldest);
    }
  }
}
