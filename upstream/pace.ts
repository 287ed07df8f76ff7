import { setTimeout as sleep } from 'node:timers/promises';

/** Waiting, measuring and jitter, given from outside so that no test sleeps. */
export interface Pace {
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Milliseconds of a clock that never steps. */
  elapsed(): number;
  /** At least 0 and below 1. */
  random(): number;
}

export const REAL_PACE: Pace = {
  async wait(ms, signal) {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    } catch (cause) {
      throw signal?.aborted === true ? signal.reason : cause;
    }
  },
  elapsed: () => performance.now(),
  random: () => Math.random(),
};

/** The outcome of shared work, given up early when this one asker's signal aborts; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
