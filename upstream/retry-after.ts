/** Seconds. An upstream that names a longer time is asked again after this one: it may have been a mistake, or a trick. */
const LONGEST = 3600;

/** Hosts remembered at once; one upstream leads to a handful. */
const HOST_LIMIT = 100;

/** Seconds to wait from `now`, from a number or an HTTP date (RFC 9110, "Retry-After"); undefined for anything else. */
export function parseRetryAfter(text: string | undefined, now: Date): number | undefined {
  if (text === undefined || text.length > 64) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text), LONGEST);
  // Only the form that names its zone: Date.parse takes almost anything, a year or a word with a digit.
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(Math.ceil((date - now.getTime()) / 1000), 0), LONGEST);
}

/** Which hosts have told us to wait, so that we do not make it worse by asking on. */
export class RateLimits {
  readonly #until = new Map<string, number>();

  /** Seconds that the host still wants to be left alone; 0 for none. */
  remaining(host: string, now: Date): number {
    const until = this.#until.get(host);
    if (until === undefined) return 0;
    const left = Math.ceil((until - now.getTime()) / 1000);
    if (left > 0) return left;
    this.#until.delete(host);
    return 0;
  }

  remember(host: string, seconds: number, now: Date): void {
    this.#until.delete(host);
    this.#until.set(host, now.getTime() + seconds * 1000);
    const oldest = this.#until.keys().next().value;
    if (this.#until.size > HOST_LIMIT && oldest !== undefined) this.#until.delete(oldest);
  }
}
