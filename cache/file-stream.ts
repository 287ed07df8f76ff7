import { Readable } from 'node:stream';
import type { Span } from './byte-range.ts';
import type { OpenFile } from './disk.ts';
import { FillError } from './fill-error.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** A file as it may be read so far. */
export interface Readings {
  readonly buffers: ReadBuffers;
  file(): Promise<OpenFile>;
  /** Up to which offset a reader of bytes up to, not including, `end` may have them. `end` itself: all of them. */
  released(end: number): number;
  /** Whether a reader of nothing, or of all it asked for, may be told that this is the end. */
  readonly whole: boolean;
  /** Calls back when more is released; the answer takes that back. */
  onMore(more: () => void): () => void;
  /** The file could not be read as it should. */
  broken(error: Error): void;
  /** Once for each reader, however it ends. */
  left(reader: FileStream): void;
}

/** One reader of a file that may still grow. Holds one buffer ahead of its consumer, no more. */
export class FileStream extends Readable {
  readonly #readings: Readings;
  readonly #end: number;
  #position: number;
  #stopWaiting: (() => void) | undefined;

  constructor(readings: Readings, span: Span) {
    super({ highWaterMark: 1 });
    this.#readings = readings;
    this.#position = span.start;
    this.#end = span.end;
    // A failure that comes before anyone listens is seen when the stream is read; it must not end the process.
    this.on('error', () => undefined);
    readings.buffers.join();
  }

  override _read(): void {
    this.#next().catch((cause: Error) => {
      this.#readings.broken(cause);
      this.destroy(cause);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopWaiting?.();
    this.#readings.buffers.leave();
    this.#readings.left(this);
    done(error);
  }

  async #next(): Promise<void> {
    if (this.#position === this.#end && this.#readings.whole) {
      this.push(null);
      return;
    }
    const available = this.#readings.released(this.#end) - this.#position;
    if (available <= 0) {
      this.#wait();
      return;
    }
    const file = await this.#readings.file();
    if (this.destroyed) return;
    const buffer = Buffer.allocUnsafeSlow(Math.min(available, this.#readings.buffers.size));
    const count = await file.read(buffer, this.#position);
    if (this.destroyed) return;
    if (count === 0) throw new FillError('disk', `expected ${this.#end} bytes in the file, got ${this.#position}`);
    this.#position += count;
    this.push(buffer.subarray(0, count));
  }

  #wait(): void {
    this.#stopWaiting = this.#readings.onMore(() => {
      this.#stopWaiting?.();
      this.#stopWaiting = undefined;
      this._read();
    });
  }
}
