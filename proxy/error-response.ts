import type { Context } from 'koa';
import type { Log } from '../oci/log.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream-error.ts';
import { DeniedError } from './denial.ts';

/** What a client is told: a status, the distribution-spec's error body, and headers. */
export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The reason phrase, where it is not the message. */
  readonly phrase?: string;
}

/** The form that an answer is given on one kind of listener. */
export type AnswerForm = (answer: ErrorAnswer, ctx: Context) => ErrorAnswer;

/** The upstream's own 401, 403 and 404 never become ours: the client did nothing wrong, and has no credentials for it. */
export const UPSTREAM_STATUS: Record<UpstreamFailure, number> = {
  unreachable: 502,
  'timed-out': 504,
  'rate-limited': 429,
  'server-error': 502,
  denied: 502,
  'bad-answer': 502,
  'forbidden-target': 502,
};

/** Seconds to wait when a rate-limiting upstream did not say. */
const RATE_LIMIT_WAIT = 30;

/** The one table from an error to its answer, by whose fault it is. */
export function answerFor(error: unknown): ErrorAnswer {
  if (error instanceof DeniedError) return deniedAnswer(error);
  if (error instanceof UpstreamError) return upstreamAnswer(error);
  if (error instanceof RegistryError) return { status: error.status, code: error.code, message: error.message };
  return { status: 500, code: 'UNKNOWN', message: 'DockLock had an internal error; its log has the details' };
}

function deniedAnswer({ verdict, image, message }: DeniedError): ErrorAnswer {
  const { reason, rule, authority, evidence } = verdict;
  const detail = { reason, image, rule, authority, evidence };
  if (verdict.outcome === 'refused') return { status: 403, code: 'DENIED', message, detail };
  return {
    status: 503,
    code: 'UNAVAILABLE',
    message,
    detail,
    headers: { 'Retry-After': `${Math.ceil(verdict.retryAfter)}` },
  };
}

function upstreamAnswer(error: UpstreamError): ErrorAnswer {
  const status = UPSTREAM_STATUS[error.failure];
  const limited = error.failure === 'rate-limited';
  return {
    status,
    code: limited ? 'TOOMANYREQUESTS' : 'UNAVAILABLE',
    message: `the upstream registry could not serve this: ${error.message}`,
    detail: { reason: `UPSTREAM_${error.failure.toUpperCase().replaceAll('-', '_')}` },
    ...(limited ? { headers: { 'Retry-After': `${Math.ceil(error.retryAfter ?? RATE_LIMIT_WAIT)}` } } : {}),
  };
}

/**
 * Writes the answer, in the listener's form. The message is also the reason phrase: all that ctr and other containerd clients show
 * of a HEAD. What it means, whatever its form, is left in `ctx.state.meant` for the access log.
 */
export function respondWithError(ctx: Context, error: unknown, log: Log, form: AnswerForm): void {
  if (ctx.res.headersSent || ctx.res.destroyed) {
    // Too late for a status: a body cut short of its Content-Length is the only honest sign left.
    ctx.res.destroy();
    log.info({ path: ctx.path, error: String(error) }, 'body cut short');
    return;
  }
  const meant = answerFor(error);
  ctx.state.meant = { status: meant.status, reason: meant.detail?.reason ?? meant.code };
  const answer = form(meant, ctx);
  const message = plainLine(answer.message);
  if (meant.status === 500) log.error({ err: error, path: ctx.path }, 'internal error');
  const body = JSON.stringify({ errors: [{ code: answer.code, message, detail: answer.detail }] });
  ctx.status = answer.status;
  ctx.set(answer.headers ?? {});
  ctx.type = 'application/json';
  ctx.body = body;
  ctx.message = reasonPhrase(answer.phrase ?? message);
}

/** Room enough for our sentences; far below what any client takes for a header line. */
export const PHRASE_LIMIT = 400;

/** RFC 9112, "Status Line": printable ASCII in one line, so that nothing in a message can become a header. */
export function reasonPhrase(message: string): string {
  return plainLine(message).slice(0, PHRASE_LIMIT).trim() || 'refused';
}

/** Printable ASCII: what an asker or an upstream put into a message must not steer the terminal it is printed on. */
export function plainLine(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, ' ').trim();
}
