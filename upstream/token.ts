import { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** Real tokens are 1 to 16 KB; one that does not fit a header block is of no use. */
const TOKEN_LIMIT = 32 * 1024;
/** Seconds. distribution-spec token authentication: the default when nothing is said. */
const DEFAULT_LIFETIME = 60;
/** Seconds. No registry's is longer than some hours; beyond a day a renewal costs nothing. */
const LONGEST_LIFETIME = 24 * 3600;
/** Seconds. Renewed this long before the end, or for short-lived ones when a quarter is left. */
const RENEWAL_MARGIN = 30;

/** Printable ASCII: a line break in a token would add headers of the token server's choice to our requests. */
const TOKEN = /^[\x21-\x7e]+$/;

export interface Token {
  readonly bearer: Secret;
  /** From here on a new one is asked for: some time before it expires. */
  readonly renewAt: Date;
}

/**
 * Reads a token server's answer as received at `now`.
 * @param host named in errors
 * @throws UpstreamError bad-answer
 */
export function parseToken(bytes: Uint8Array, host: string, now: Date): Token {
  const answer = parseObject(bytes);
  const text = answer?.token === undefined || answer.token === '' ? answer?.access_token : answer.token;
  if (typeof text !== 'string' || text.length > TOKEN_LIMIT || !TOKEN.test(text)) {
    throw new UpstreamError('bad-answer', `expected a token from ${host}, got something else`);
  }
  const lifetime = lifetimeOf(answer?.expires_in, answer?.issued_at, now);
  const margin = Math.min(RENEWAL_MARGIN, lifetime / 4);
  return { bearer: new Secret(text), renewAt: new Date(now.getTime() + (lifetime - margin) * 1000) };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: told as "no token" by the caller, without the text, which may hold one.
    return undefined;
  }
}

/** Seconds left. A token issued some time ago (an auth server's own cache) has used up that much of its life. */
function lifetimeOf(expiresIn: unknown, issuedAt: unknown, now: Date): number {
  const said =
    typeof expiresIn === 'number' && expiresIn > 0 ? Math.min(expiresIn, LONGEST_LIFETIME) : DEFAULT_LIFETIME;
  const issued = typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN;
  const age = (now.getTime() - issued) / 1000;
  // Issued in the future, or dead on arrival, is a clock that differs from ours, not a token's age.
  return age > 0 && age < said ? said - age : said;
}
