import type { EvidenceStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import { Undetermined } from '../refresh/undetermined.ts';
import { coreExpiry } from './assemble.ts';
import { DigestIndex } from './digest-index.ts';
import type { TrustedRepository } from './trusted-repository.ts';

/** What is trusted now, and since when. */
export interface State {
  readonly repository: TrustedRepository;
  readonly refreshedAt: Date;
  /** Whether a root of it meets the pin: not so when the pin was changed since it was remembered. */
  readonly anchored: boolean;
  readonly index: DigestIndex;
}

/** A state that may be relied on, with what is to be said of its freshness. */
export interface Usable extends State {
  readonly notes: readonly EvidenceStep[];
}

export function stateOf(
  repository: TrustedRepository,
  refreshedAt: Date,
  anchored: boolean,
  index?: DigestIndex,
): State {
  return { repository, refreshedAt, anchored, index: index ?? new DigestIndex(repository) };
}

/** Why what is remembered may not be used any more. */
export function staleness(since: string, { repository }: State, failure: RefreshFailure | undefined, now: Date): Error {
  const why = failure === undefined ? '' : `; ${failure.error.message}`;
  const expired = now >= coreExpiry(repository) ? `, and expired ${coreExpiry(repository).toISOString()}` : '';
  if (failure === undefined && expired !== '') return new MetadataError('METADATA_EXPIRED', `${since}${expired}`);
  const retryAfter = failure?.error instanceof Undetermined ? failure.error.retryAfter : 1;
  return new Undetermined('TRUST_STALE', `${since}${expired}${why}`, retryAfter);
}
