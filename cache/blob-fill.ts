import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.ts';
import { type ByteRange, spanOf } from './byte-range.ts';
import { ContentCheck, type Expected } from './content-check.ts';
import type { FileFacts, OpenFile } from './disk.ts';
import { FileStream, type Readings } from './file-stream.ts';
import { asFillError, FillError } from './fill-error.ts';
import type { FillFile } from './fill-file.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { resumed, type Source } from './resumed-source.ts';

export { FillError };

/** What a fill asks of the store that owns it. */
export interface FillOwner {
  readonly buffers: ReadBuffers;
  /** The content, checked, if it is here by now. */
  stored(): Promise<{ readonly file: OpenFile; readonly size: number } | undefined>;
  /** Room and a file to write to. @throws FillError disk */
  begin(): Promise<FillFile>;
  /** The content was checked and has its name now. */
  placed(facts: FileFacts): void;
  /** It is not to be joined any more: it failed, its content is on disk, or nobody is left of those it was for. */
  leave(): void;
}

/**
 * Content under way to the disk: one writer, any number of readers. It belongs to the store: a client that leaves,
 * stalls or is one of five hundred changes nothing for it, and it waits for none of them.
 */
export class Fill {
  readonly digest: Digest;
  /** Bytes the content must have. */
  readonly size: number;
  /** When the content is checked and kept. @throws FillError, the same one for all. Nobody needs to wait for it: the store does. */
  readonly done: Promise<void>;
  readonly #owner: FillOwner;
  readonly #abort = new AbortController();
  readonly #readers = new Set<FileStream>();
  readonly #waiting = new Set<() => void>();
  readonly #readings: Readings;
  #file: Promise<OpenFile> | undefined;
  #written = 0;
  #whole = false;
  #error: FillError | undefined;

  constructor(expected: Expected, source: Source, owner: FillOwner) {
    this.digest = expected.digest;
    this.size = expected.size;
    this.#owner = owner;
    this.#readings = this.#readingsOf(owner.buffers);
    this.done = this.#run(source).then(
      (stays) => this.#succeed(stays),
      (cause) => this.#fail(asFillError('disk', `${this.digest} could not be filled`, cause)),
    );
  }

  /**
   * The content, or a range of it, as it arrives. The last byte of what was asked for is held back until size and
   * digest of the whole agree and it is placed on disk; on any failure the stream is destroyed with the FillError
   * and never ends. To be destroyed by who does not read it to its end.
   * @throws RangeError unless the range is within the content.
   */
  follow(range?: ByteRange): Readable {
    const span = spanOf(range, this.size);
    const reader = new FileStream(this.#readings, span);
    this.#readers.add(reader);
    if (this.#error !== undefined) reader.destroy(this.#error);
    return reader;
  }

  /** Ends it, failed, unless it has ended. */
  abort(reason: string): void {
    this.#abort.abort(new FillError('source', reason));
  }

  /** Whether the content stays on disk. */
  async #run(source: Source): Promise<boolean> {
    const stored = await this.#owner.stored();
    if (stored !== undefined) {
      this.#file = Promise.resolve(stored.file);
      if (stored.size !== this.size) {
        throw new FillError('mismatch', `expected ${this.size} bytes of ${this.digest}, got ${stored.size}`);
      }
      return true;
    }
    const aside = await this.#owner.begin();
    this.#file = Promise.resolve(aside.file);
    try {
      return await this.#write(source, aside);
    } finally {
      await aside.clear();
    }
  }

  async #write(source: Source, aside: FillFile): Promise<boolean> {
    const check = new ContentCheck(this);
    for await (const bytes of resumed(source, this.size, this.#abort.signal)) {
      check.update(bytes);
      await aside.append(bytes);
      this.#written += bytes.length;
      this.#wake();
    }
    // Promise 2: the last byte is the receipt, and it is released only behind this line.
    check.finish();
    const facts = await aside.place();
    if (facts !== undefined) this.#owner.placed(facts);
    return facts !== undefined;
  }

  #readingsOf(buffers: ReadBuffers): Readings {
    const fill = this;
    return {
      buffers,
      file: () => fill.#open(),
      released: (end) => (fill.#whole ? end : Math.min(fill.#written, end - 1)),
      get whole() {
        return fill.#whole;
      },
      onMore: (more) => {
        fill.#waiting.add(more);
        return () => fill.#waiting.delete(more);
      },
      broken: () => undefined,
      left: (reader) => fill.#left(reader),
    };
  }

  /** The file that was written, or, for who comes after its last reader left, what was stored. */
  #open(): Promise<OpenFile> {
    this.#file ??= this.#owner.stored().then((stored) => {
      if (stored === undefined) throw new FillError('disk', `${this.digest} was filled, and is no longer kept`);
      return stored.file;
    });
    return this.#file;
  }

  #succeed(stays: boolean): void {
    this.#whole = true;
    if (stays) this.#owner.leave();
    this.#wake();
    this.#closeWhenIdle();
  }

  #fail(error: FillError): never {
    this.#error = error;
    for (const reader of [...this.#readers]) reader.destroy(error);
    this.#closeWhenIdle();
    throw error;
  }

  #wake(): void {
    for (const more of [...this.#waiting]) more();
  }

  #left(reader: FileStream): void {
    this.#readers.delete(reader);
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#readers.size > 0 || !(this.#whole || this.#error !== undefined)) return;
    const file = this.#file;
    this.#file = undefined;
    // A file that could not be opened, or not be closed, was said to be so to who read it.
    file?.then((open) => open.close()).catch(() => undefined);
    this.#owner.leave();
  }
}
