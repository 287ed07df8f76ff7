import { addAbortSignal, type Readable } from 'node:stream';
import { asFillError, FillError } from './fill-error.ts';

/** Brings content from an offset on. May be asked again, from where it was cut off. */
export type Source = (offset: number) => Promise<Readable>;

/** Connections in a row that may bring next to nothing before the source is given up. */
export const TRIES = 5;

/** Progress that earns one try back, so that a large blob over a bad line arrives, in a bounded number of tries. */
export const PROGRESS_WORTH_A_TRY = 8 * 1024 * 1024;

/**
 * The bytes of a source that is asked again when it is cut off. A source that cannot even be opened is not asked
 * again: whoever opens it has retried what is worth it. Ends when the source does, with too few bytes only if a
 * try brought none: judging what came is the caller's.
 * @throws FillError source; or the signal's reason once that is aborted.
 */
export async function* resumed(source: Source, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let tries = TRIES; ; ) {
    const began = offset;
    const stream = await opened(source, offset, signal);
    let cut: unknown;
    try {
      for await (const bytes of stream) {
        offset += bytes.length;
        yield bytes;
      }
      if (offset === began) return;
    } catch (cause) {
      cut = cause;
    }
    signal.throwIfAborted();
    // Cut off behind the last byte, all the same: the caller has what it needs to judge.
    if (offset >= size) return;
    tries = Math.min(TRIES, tries - 1 + Math.floor((offset - began) / PROGRESS_WORTH_A_TRY));
    if (tries <= 0) {
      throw new FillError('source', `expected ${size} bytes, got cut off again after ${offset}`, { cause: cut });
    }
  }
}

function opened(source: Source, offset: number, signal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = () => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    const open = async () => {
      const stream = await source(offset);
      // Opened after we stopped waiting: nobody else would close it.
      if (signal.aborted) stream.destroy();
      else resolve(addAbortSignal(signal, stream));
    };
    open()
      .catch((cause) => reject(asFillError('source', 'the source could not be opened', cause)))
      .finally(() => signal.removeEventListener('abort', aborted));
  });
}
