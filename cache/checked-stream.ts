import { finished, type Readable, Transform } from 'node:stream';
import { ContentCheck, type Expected } from './content-check.ts';
import { asFillError } from './fill-error.ts';

/**
 * The source's bytes, for serving content that cannot be stored. The last byte is held back until the source
 * has ended and size and digest agree; else the stream is destroyed with a FillError (`mismatch`, `source`)
 * and never ends. Leaving it destroys the source.
 */
export function checked(source: Readable, expected: Expected): Readable {
  const check = new ContentCheck(expected);
  let held: Uint8Array | undefined;
  const stream = new Transform({
    transform(bytes: Uint8Array, _encoding, done) {
      attempt(done, () => {
        check.update(bytes);
        if (!check.full || bytes.length === 0) return bytes;
        // The last byte is the receipt: who has it may believe the body.
        held = Uint8Array.from(bytes.subarray(-1));
        return bytes.subarray(0, -1);
      });
    },
    flush(done) {
      attempt(done, () => {
        check.finish();
        return held;
      });
    },
  });
  finished(source, { writable: false }, (cause) => {
    if (cause) stream.destroy(asFillError('source', `${expected.digest} was cut off`, cause));
  });
  stream.once('close', () => source.destroy());
  // A failure that comes before anyone listens is seen when the stream is read; it must not end the process.
  stream.on('error', () => undefined);
  return source.pipe(stream);
}

function attempt(done: (error?: Error | null, bytes?: Uint8Array) => void, step: () => Uint8Array | undefined): void {
  let bytes: Uint8Array | undefined;
  try {
    bytes = step();
  } catch (cause) {
    done(asFillError('source', 'the check failed', cause));
    return;
  }
  done(null, bytes);
}
