import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import { type ImageName, nameText } from '../oci/reference.ts';

/** More pulls than run at once anywhere; past it the oldest windows close early, which costs a verdict and no pull. */
const OPEN_WINDOWS = 100_000;

/**
 * A pull that began is allowed to finish: for a while after a manifest was served, its blobs need no new verdict.
 * In memory only: after a restart, or with other rules, everything is judged again.
 */
export class PullWindow {
  readonly #closes = new LRUCache<string, number>({ max: OPEN_WINDOWS });
  readonly #length: number;
  readonly #now: () => Date;

  /** @param length in milliseconds */
  constructor(length: number, now: () => Date) {
    this.#length = length;
    this.#now = now;
  }

  open(name: ImageName, manifest: Digest): void {
    this.#closes.set(key(name, manifest), this.#now().getTime() + this.#length);
  }

  isOpen(name: ImageName, manifest: Digest): boolean {
    const closes = this.#closes.get(key(name, manifest));
    return closes !== undefined && this.#now().getTime() < closes;
  }
}

function key(name: ImageName, manifest: Digest): string {
  return `${nameText(name)}@${manifest}`;
}
