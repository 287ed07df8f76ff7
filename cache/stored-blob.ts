import type { Readable } from 'node:stream';
import { type ByteRange, spanOf } from './byte-range.ts';
import type { OpenFile } from './disk.ts';
import { FileStream } from './file-stream.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** Content that was checked, open for one reader. It can be read to its end even if it is evicted meanwhile. */
export class StoredBlob {
  /** Bytes. */
  readonly size: number;
  readonly #file: OpenFile;
  readonly #buffers: ReadBuffers;
  readonly #broken: (error: Error) => void;
  #taken = false;

  constructor(
    content: { readonly file: OpenFile; readonly size: number },
    buffers: ReadBuffers,
    /** Told when it could not be read, so that the file is doubted from then on. */
    broken: (error: Error) => void,
  ) {
    this.size = content.size;
    this.#file = content.file;
    this.#buffers = buffers;
    this.#broken = broken;
  }

  /**
   * The whole, or a range of it; closes the blob at its end or when destroyed.
   * @throws RangeError unless the range is within the blob; Error when it was taken or closed before.
   */
  stream(range?: ByteRange): Readable {
    const span = spanOf(range, this.size);
    this.#take();
    const file = Promise.resolve(this.#file);
    const readings = {
      buffers: this.#buffers,
      file: () => file,
      released: (end: number) => end,
      whole: true,
      onMore: () => () => undefined,
      broken: this.#broken,
      left: () => {
        this.#file.close().catch(this.#broken);
      },
    };
    return new FileStream(readings, span);
  }

  /** For who wanted only to know that it is here, and its size. */
  async close(): Promise<void> {
    if (this.#taken) return;
    this.#take();
    await this.#file.close();
  }

  #take(): void {
    if (this.#taken) throw new Error('expected a stored blob that is not in use, got one that was streamed or closed');
    this.#taken = true;
  }
}
