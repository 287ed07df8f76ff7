/**
 * What went wrong at an upstream. `unreachable`, `timed-out`, `rate-limited` and `server-error` are outages: asking
 * again later may help. The others are answers, and nothing remembered may be served in their place.
 */
export type UpstreamFailure =
  | 'unreachable'
  | 'timed-out'
  | 'rate-limited'
  | 'server-error'
  | 'denied'
  | 'bad-answer'
  | 'forbidden-target';

export interface UpstreamErrorOptions extends ErrorOptions {
  /** The HTTP status that came, where one came. */
  readonly status?: number | undefined;
  /** Seconds the upstream asked us to wait. */
  readonly retryAfter?: number | undefined;
}

const OUTAGES: ReadonlySet<UpstreamFailure> = new Set(['unreachable', 'timed-out', 'rate-limited', 'server-error']);

/**
 * The upstream failed, never the asker. The message names the host and what came instead of what was expected; it never
 * carries a credential, a token, an upstream's own text, or the query of a redirected URL (which is often a signature).
 */
export class UpstreamError extends Error {
  override readonly name: string = 'UpstreamError';
  readonly failure: UpstreamFailure;
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;

  constructor(failure: UpstreamFailure, message: string, options: UpstreamErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.failure = failure;
    this.status = options.status;
    this.retryAfter = options.retryAfter;
  }

  /** Whether the stale budget may be spent on it. A 401, 403 or 404 never counts: the upstream was there and said no. */
  get outage(): boolean {
    return OUTAGES.has(this.failure);
  }
}

/** A body larger than any honest one: refused unread, or as soon as the limit was passed. */
export class BodyTooLarge extends UpstreamError {
  override readonly name = 'BodyTooLarge';

  constructor(host: string, limit: number) {
    super('bad-answer', `expected at most ${limit} bytes from ${host}, got more`);
  }
}
