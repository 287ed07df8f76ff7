import type { Readable } from 'node:stream';

/**
 * Waits until the stream has something to read, has ended, or has failed: an error before the first byte can still be
 * answered with a status of its own. @throws what the stream failed with
 */
export function firstSign(stream: Readable): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      stream.off('readable', good).off('end', good).off('error', bad);
      act();
    };
    const good = settle(() => resolve(stream));
    const bad = (error: Error) => settle(() => reject(error))();
    stream.on('readable', good).on('end', good).on('error', bad);
  });
}
