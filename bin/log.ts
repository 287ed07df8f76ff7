import pino from 'pino';
import type { Log } from '../oci/log.ts';

/** Structured lines on standard error, so that standard output stays for people and pipes. */
export function makeLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
