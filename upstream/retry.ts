import type { Pace } from './pace.ts';
import { UpstreamError } from './upstream-error.ts';

const TRIES = 3;
/** Milliseconds from the first try within which the last one must begin: clients themselves give up after some 30 s. */
const BUDGET = 15_000;
/** Seconds. A longer Retry-After is told to the client rather than sat out. */
const LONGEST_WAIT = 10;
/** Milliseconds before the second try, four times as long before the third; each half to one and a half of it. */
const FIRST_WAIT = 250;

/** RFC 9110: these may pass by themselves. A 500 or 501 is the server's considered answer. */
const PASSING: ReadonlySet<number> = new Set([502, 503, 504]);

export interface Retrying {
  readonly pace: Pace;
  readonly signal: AbortSignal | undefined;
  /** Told before each wait, in milliseconds. */
  readonly onRetry: (error: UpstreamError, wait: number) => void;
}

/** Runs an idempotent request at most three times, within fifteen seconds. @throws what the last try threw */
export async function withRetries<T>(attempt: () => Promise<T>, { pace, signal, onRetry }: Retrying): Promise<T> {
  const begun = pace.elapsed();
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const wait = tried < TRIES ? waitBefore(tried, error, pace.random()) : undefined;
      if (wait === undefined || pace.elapsed() - begun + wait > BUDGET || !(error instanceof UpstreamError))
        throw error;
      onRetry(error, wait);
      await pace.wait(wait, signal);
    }
  }
}

/** Milliseconds; undefined when trying again is no use. */
function waitBefore(tried: number, error: unknown, random: number): number | undefined {
  if (!(error instanceof UpstreamError) || !mayPass(error)) return undefined;
  const { retryAfter } = error;
  if (retryAfter !== undefined && retryAfter > LONGEST_WAIT) return undefined;
  const backoff = FIRST_WAIT * 4 ** (tried - 1) * (0.5 + random);
  return Math.max(backoff, (retryAfter ?? 0) * 1000);
}

function mayPass({ failure, status }: UpstreamError): boolean {
  if (failure === 'server-error') return status !== undefined && PASSING.has(status);
  return failure === 'unreachable' || failure === 'timed-out' || failure === 'rate-limited';
}
