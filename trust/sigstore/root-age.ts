import { faultStep } from '../evidence.ts';
import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import { Undetermined } from '../refresh/undetermined.ts';
import type { TrustedRoot } from './trusted-root.ts';
import type { CurrentRoot } from './trusted-root-source.ts';

/** The last good trusted root, and by whose word. */
export interface KnownRoot {
  readonly root: TrustedRoot;
  /** The last time it was found to be the one in force. */
  readonly since: Date;
  /** When the signatures that say so end. */
  readonly signedUntil: Date;
}

/** A refresh "from the future" beyond this means that the clock was set back. */
const CLOCK_TOLERANCE_MS = 5_000;

const DAY = 24 * 60 * 60 * 1000;

/**
 * How long the last good one may stand in: while the repository cannot be reached, as long as the operator allows; once it was reached
 * and its answer is not acceptable, no longer than its own signers said.
 * @param failure how the last refresh ended, if not well
 * @returns undefined when it may not be used any more
 */
export function usableRoot(
  { root, since, signedUntil }: KnownRoot,
  failure: RefreshFailure | undefined,
  now: Date,
  maxAge: number,
): CurrentRoot | undefined {
  const ends = since.getTime() + maxAge;
  const until = new Date(isAnswered(failure) ? Math.min(ends, signedUntil.getTime()) : ends);
  // Turned round, so that a date that is none is no time to use it.
  if (!(now < until) || isAhead(since, now)) return undefined;
  const text = `the trusted root was last found in force ${since.toISOString()}: ${failure?.error.message}`;
  // Its age has this limit of its own: the rule's is about the publisher's word.
  return { root, refreshedAt: now, validUntil: until, notes: failure === undefined ? [] : [faultStep(text)] };
}

/** Why it may not be used any more, and what to do. */
export function staleRoot(
  name: string,
  { since, signedUntil }: KnownRoot,
  failure: RefreshFailure | undefined,
  now: Date,
  maxAge: number,
): Undetermined {
  const retryAfter = failure?.error instanceof Undetermined ? failure.error.retryAfter : 1;
  const why = failure === undefined ? '' : `; ${failure.error.message}`;
  const text = `the trusted root (${name}) was last found in force ${since.toISOString()}, ${limit()}${why}`;
  return new Undetermined('TRUST_STALE', text, retryAfter);

  function limit(): string {
    if (isAhead(since, now)) return 'which is in the future: is the clock right?';
    if (now.getTime() < since.getTime() + maxAge) {
      return `and what signed it ended ${signedUntil.toISOString()}, while the repository's answer is not acceptable`;
    }
    return `longer ago than the ${Math.floor(maxAge / DAY)} days of trustRootMaxAge`;
  }
}

function isAnswered(failure: RefreshFailure | undefined): boolean {
  return failure !== undefined && (failure.kind === 'answered' || failure.answer !== undefined);
}

function isAhead(since: Date, now: Date): boolean {
  return now.getTime() - since.getTime() < -CLOCK_TOLERANCE_MS;
}
