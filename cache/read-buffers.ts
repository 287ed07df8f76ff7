const KiB = 1024;

/** Largest read: measured, half the CPU of 64 KiB reads and no dearer than 1 MiB (docs/performance.md). */
const LARGEST = 512 * KiB;

/** Smallest read, however many readers. */
const SMALLEST = 16 * KiB;

/** Shared by all readers; a reader holds two buffers at most: one read ahead, one on its way to the client. */
const BUDGET = 64 * 1024 * KiB;

/** Bounds the memory of all readers together: the more there are, slow or not, the smaller their reads. */
export class ReadBuffers {
  #readers = 0;

  join(): void {
    this.#readers += 1;
  }

  leave(): void {
    this.#readers -= 1;
  }

  /** Bytes to read at a time. */
  get size(): number {
    return Math.max(SMALLEST, Math.min(LARGEST, Math.floor(BUDGET / Math.max(1, this.#readers))));
  }
}
