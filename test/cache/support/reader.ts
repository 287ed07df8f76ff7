import type { Readable } from 'node:stream';

/** How a reader's stream came to its end. `clean`: the reader was told that this was all. */
export interface Ending {
  readonly bytes: Buffer;
  readonly clean: boolean;
  readonly error: Error | undefined;
}

/** Reads a stream as fast as it comes, and remembers what came. */
export class Reader {
  readonly ending: Promise<Ending>;
  readonly #stream: Readable;
  readonly #pieces: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  #clean = false;
  #error: Error | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      for (const check of [...this.#waiting]) check();
    });
    stream.on('end', () => {
      this.#clean = true;
    });
    stream.on('error', (error) => {
      this.#error = error;
    });
    this.ending = new Promise((resolve) => {
      stream.on('close', () => resolve({ bytes: this.bytes, clean: this.#clean, error: this.#error }));
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get count(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Once at least so many bytes came; fails when the stream ends before. */
  async has(count: number): Promise<void> {
    let check: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      check = () => {
        if (this.count >= count) resolve();
      };
      this.#waiting.add(check);
      check();
    });
    const ended = this.ending.then(({ error }) => {
      if (this.count < count) throw new Error(`expected ${count} bytes, got ${this.count}`, { cause: error });
    });
    await Promise.race([arrived, ended]);
    if (check !== undefined) this.#waiting.delete(check);
  }

  leave(): void {
    this.#stream.destroy();
  }
}
