import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import type { Source } from '../../../cache/resumed-source.ts';
import { type Digest, digestOf } from '../../../oci/digest.ts';

/** Bytes that look random and are the same each time. */
export function contentOf(size: number, seed = 'content'): Buffer {
  return size === 0 ? Buffer.alloc(0) : createHash('shake256', { outputLength: size }).update(seed).digest();
}

export interface Content {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly size: number;
}

export function content(size: number, seed?: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Content {
  const bytes = contentOf(size, seed);
  return { bytes, digest: digestOf(bytes, algorithm), size };
}

/** The content with one bit of one byte turned. */
export function tampered(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A source that brings these bytes in pieces, and counts how often it was asked. */
export function serving(bytes: Uint8Array, piece = 1000): Source & { readonly offsets: number[] } {
  const offsets: number[] = [];
  const source = async (offset: number) => {
    offsets.push(offset);
    return Readable.from(piecesOf(bytes.subarray(offset), piece));
  };
  return Object.assign(source, { offsets });
}

export function* piecesOf(bytes: Uint8Array, piece: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

/** A source whose streams the test writes to, ends or cuts, as it goes. */
export class HeldSource {
  readonly offsets: number[] = [];
  readonly source: Source;
  readonly #opened: PassThrough[] = [];
  readonly #waiting: ((stream: PassThrough) => void)[] = [];

  constructor() {
    this.source = async (offset) => {
      const stream = new PassThrough();
      this.offsets.push(offset);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#opened.push(stream);
      else waiting(stream);
      return stream;
    };
  }

  /** The stream of the next time the source is asked. */
  next(): Promise<PassThrough> {
    const opened = this.#opened.shift();
    if (opened !== undefined) return Promise.resolve(opened);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
