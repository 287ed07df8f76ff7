import { MetadataUnavailable } from '../fetch-metadata.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import { Undetermined } from './undetermined.ts';

/** How the last refresh ended, when it did not end well. */
export interface RefreshFailure {
  /**
   * `answered`: the server was asked, and its answer is not acceptable. `unreachable`: it could not be asked; what is
   * remembered may do for a while. `ours`: we could not make use of the answer.
   */
  readonly kind: 'answered' | 'unreachable' | 'ours';
  /** What a judgement is told. */
  readonly error: MetadataError | Undetermined;
  readonly at: Date;
  /** Milliseconds after `at` in which asking again is pointless. */
  readonly pause: number;
  /** The server's last answer, when that was not acceptable either: an outage after it does not make it good. */
  readonly answer: MetadataError | undefined;
}

/** So that pulls during an outage are quick: only one in so many milliseconds waits for the server. */
const OUTAGE_PAUSE_MS = 5_000;

/** A server may ask for more patience, but not for so much that its return goes unnoticed. */
const OUTAGE_PAUSE_LIMIT_MS = 60_000;

/** A refusal is kept for a moment, so that pulling an unsigned image in a loop does not load its trust server. */
const REFUSAL_PAUSE_MS = 1_000;

const SECOND = 1_000;

/**
 * @param refresh milliseconds for which a success is kept: refusals are kept no longer
 * @param before the failure before this one, if the last refresh failed too
 */
export function failureOf(
  error: unknown,
  at: Date,
  { refresh, before }: { readonly refresh: number; readonly before: RefreshFailure | undefined },
): RefreshFailure {
  const pause = Math.min(refresh, REFUSAL_PAUSE_MS);
  if (error instanceof MetadataError) return { kind: 'answered', error, at, pause, answer: error };
  if (error instanceof MetadataUnavailable) {
    const wanted = (error.retryAfter ?? 0) * SECOND;
    const outage = Math.min(Math.max(wanted, OUTAGE_PAUSE_MS), OUTAGE_PAUSE_LIMIT_MS);
    return {
      kind: 'unreachable',
      error: unreachable(error, outage, before?.answer),
      at,
      pause: outage,
      answer: before?.answer,
    };
  }
  return { kind: 'ours', error: ours(error, pause), at, pause, answer: before?.answer };
}

/**
 * Whether asking again has to wait. A clock that was set back does not prolong it.
 * @param least milliseconds to wait at the least, for who is in no hurry
 */
export function isPaused(failure: RefreshFailure, now: Date, least = 0): boolean {
  const since = now.getTime() - failure.at.getTime();
  return since >= 0 && since < Math.max(failure.pause, least);
}

function unreachable(cause: MetadataUnavailable, pause: number, answer: MetadataError | undefined): Undetermined {
  const last = answer === undefined ? '' : `; its last answer was not acceptable (${answer.message})`;
  const message = `the trust server could not be asked (${cause.message})${last}`;
  return new Undetermined('TRUST_UNREACHABLE', message, Math.ceil(pause / SECOND), { cause });
}

function ours(cause: unknown, pause: number): Undetermined {
  const seconds = Math.max(1, Math.ceil(pause / SECOND));
  if (cause instanceof StateUnwritable)
    return new Undetermined('TRUST_STATE_UNWRITABLE', cause.message, seconds, { cause });
  return new Undetermined('INTERNAL', 'an unexpected error while trust data was refreshed', seconds, { cause });
}
