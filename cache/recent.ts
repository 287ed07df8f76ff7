import { LRUCache } from 'lru-cache';

/**
 * Values found a moment ago, and work under way: equal questions share one answer, errors too, and an answer is used
 * again until its own time is over. At most `max` entries.
 */
export class Recent<V extends object> {
  readonly #kept: LRUCache<string, { readonly value: V; readonly until: number }>;
  readonly #flights = new Map<string, Promise<V>>();
  readonly #now: () => Date;

  constructor(max: number, now: () => Date) {
    this.#kept = new LRUCache({ max });
    this.#now = now;
  }

  /** A kept value whose time is not over, without starting any work. */
  peek(key: string): V | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.until > this.#now().getTime()) return kept.value;
    this.#kept.delete(key);
    return undefined;
  }

  /** @param until when the value must be found anew, in milliseconds since the epoch; errors are shared, never kept */
  async get(key: string, find: () => Promise<V>, until: (value: V) => number): Promise<V> {
    const kept = this.peek(key);
    if (kept !== undefined) return kept;
    const running = this.#flights.get(key);
    if (running !== undefined) return running;
    const flight = this.#fly(key, find, until);
    this.#flights.set(key, flight);
    return flight;
  }

  clear(): void {
    this.#kept.clear();
  }

  async #fly(key: string, find: () => Promise<V>, until: (value: V) => number): Promise<V> {
    try {
      const value = await find();
      this.#kept.set(key, { value, until: until(value) });
      return value;
    } finally {
      this.#flights.delete(key);
    }
  }
}
