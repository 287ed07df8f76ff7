import type { Answer } from './exchange.ts';
import { parseRetryAfter } from './retry-after.ts';
import { UpstreamError } from './upstream-error.ts';

/** What a final status means. Each function that throws has closed the answer's body. */

/** There is no such thing, or no more: an answer, not an outage. */
export function isMissing({ status }: Pick<Answer, 'status'>): boolean {
  return status === 404 || status === 410;
}

/**
 * A 2xx, 404 or 410, as it came.
 * @throws UpstreamError denied for 401 and 403: never an outage, or remembered content would be served over a refusal;
 * server-error for 5xx, with its Retry-After; bad-answer for the rest
 */
export function settle<A extends Answer>(answer: A, now: Date): A {
  const { status, url, headers, body } = answer;
  if (isMissing(answer) || (status >= 200 && status < 300)) return answer;
  body.destroy();
  const message = `expected success from ${url.host}, got status ${status}`;
  if (status === 401 || status === 403) throw new UpstreamError('denied', message, { status });
  if (status < 500) throw new UpstreamError('bad-answer', message, { status });
  const retryAfter = parseRetryAfter(headers['retry-after'], now);
  throw new UpstreamError('server-error', message, { status, retryAfter });
}

/** We asked for the bytes as stored: others cannot match a digest, and small compressed ones can be endless unpacked. */
export function checkEncoding({ headers, url, body }: Answer): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  body.destroy();
  throw new UpstreamError('bad-answer', `expected no Content-Encoding from ${url.host}, got one`);
}

export function notWhole({ status, url, body }: Answer): UpstreamError {
  body.destroy();
  return new UpstreamError('bad-answer', `expected status 200 from ${url.host}, got ${status}`, { status });
}

export function rateLimited(host: string, retryAfter: number | undefined): UpstreamError {
  const message = `expected an answer from ${host}, got status 429: too many requests`;
  return new UpstreamError('rate-limited', message, { status: 429, retryAfter });
}
