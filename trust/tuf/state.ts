import { type EvidenceStep, faultStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import { Undetermined } from '../refresh/undetermined.ts';
import type { Expiry, Renewal, TrustStatus } from '../status.ts';
import { coreExpiry } from './assemble.ts';
import { isSuperseded, NO_FLOORS } from './floors.ts';
import type { LoadedState } from './load-state.ts';
import type { Link, Repository } from './repository.ts';
import { isAnchored, type RootFile } from './root-chain.ts';
import { stateVersionOf } from './update.ts';

/** What is trusted now, and since when. */
export interface State {
  readonly repository: Repository;
  /** When it was last found to be what the source has. */
  readonly refreshedAt: Date;
  /**
   * When the timestamp that is trusted was first seen. A source that gives the same one forever is reached and
   * answers, and still shows nothing of what its publisher does: freshness counts from here.
   */
  readonly renewedAt: Date;
  /** Whether it follows from the pinned root: not so when another was pinned since it was remembered. */
  readonly anchored: boolean;
  /** Different whenever anything that is trusted differs. */
  readonly version: string;
}

export function stateOf(
  repository: Repository,
  when: Pick<State, 'refreshedAt' | 'renewedAt'>,
  pinned: RootFile,
): State {
  return {
    repository,
    ...when,
    anchored: isAnchored(repository.chain, pinned),
    version: stateVersionOf(repository),
  };
}

/** What was found on disk. */
export function rememberedState({ remembered, seen }: LoadedState, pinned: RootFile): State | undefined {
  if (remembered === undefined) return undefined;
  const { repository, refreshedAt } = remembered;
  const state = stateOf(repository, { refreshedAt, renewedAt: seen?.renewedAt ?? refreshedAt }, pinned);
  return { ...state, anchored: state.anchored && !isSuperseded(repository.chain, seen?.floors ?? NO_FLOORS) };
}

/** Questions of one moment may come in another order; a refresh "from the future" beyond this means the clock was set back. */
export const CLOCK_TOLERANCE_MS = 5_000;

/** A state that may be relied on now. */
export type Usable = State & { readonly notes: readonly EvidenceStep[] };

/**
 * The state, with what is to be said about its freshness.
 * @param failure how the last refresh ended, if not well
 * @throws MetadataError, Undetermined when nothing may be relied on
 */
export function usableState(
  state: State | undefined,
  failure: RefreshFailure | undefined,
  now: Date,
  maxAge: number,
): Usable {
  // An answer that is not acceptable is no outage: what is remembered must not stand in for it.
  if (failure !== undefined && (failure.kind !== 'unreachable' || failure.answer !== undefined)) throw failure.error;
  // Remembered under another pin: good for its versions, not for its word.
  if (state?.anchored !== true) {
    throw failure?.error ?? new RangeError('expected a state after a refresh without failure, got none');
  }
  const { refreshedAt, renewedAt } = state;
  const age = now.getTime() - renewedAt.getTime();
  const isAhead = now.getTime() - refreshedAt.getTime() < -CLOCK_TOLERANCE_MS;
  if (age > maxAge || isAhead || now >= coreExpiry(state.repository)) throw staleness(state, failure, now);
  if (failure === undefined) return { ...state, notes: [] };
  const text = `trust was last refreshed ${refreshedAt.toISOString()}: ${failure.error.message}`;
  return { ...state, notes: [faultStep(text)] };
}

/** Why what is remembered may not be used any more. */
function staleness(
  { repository, refreshedAt, renewedAt }: State,
  failure: RefreshFailure | undefined,
  now: Date,
): Error {
  const { version } = repository.timestamp.metadata;
  const since =
    failure === undefined
      ? `timestamp ${version} has not been renewed since ${renewedAt.toISOString()}`
      : `trust was last refreshed ${refreshedAt.toISOString()}`;
  const expiry = coreExpiry(repository);
  const expired = now >= expiry ? `, and expired ${expiry.toISOString()}` : '';
  if (failure === undefined && expired !== '') return new MetadataError('METADATA_EXPIRED', `${since}${expired}`);
  const why = failure === undefined ? '' : `; ${failure.error.message}`;
  const retryAfter = failure?.error instanceof Undetermined ? failure.error.retryAfter : 1;
  return new Undetermined('TRUST_STALE', `${since}${expired}${why}`, retryAfter);
}

/** How the trust stands: what is remembered, and how the last refresh ended. */
export function trustStatusOf(of: string, state: State | undefined, failure: RefreshFailure | undefined): TrustStatus {
  return {
    of,
    refreshedAt: state?.refreshedAt,
    failure: failure && { reason: failure.error.reason, message: failure.error.message, at: failure.at },
    ...(state === undefined ? { versions: {}, expiries: [] } : contentsOf(state)),
  };
}

function contentsOf({ repository, renewedAt }: State): Pick<TrustStatus, 'versions' | 'expiries'> {
  const files = [...filesByRole(repository)];
  const expiryOf = ([what, { expires }]: (typeof files)[number]): Expiry => ({
    what,
    at: expires,
    renewal: renewalOf(what),
    // Of a snapshot it is not kept when it was first seen; it lives longer than the timestamp that leads to it.
    ...(what === 'timestamp' ? { since: renewedAt } : {}),
  });
  return {
    versions: Object.fromEntries(files.map(([role, { version }]) => [role, version])),
    expiries: files.map(expiryOf),
  };
}

/** TUF specification 6.1: the keys of these two are online, all others are used by a person. */
function renewalOf(role: string): Renewal {
  return role === 'timestamp' || role === 'snapshot' ? 'online' : 'by-hand';
}

function* filesByRole({ chain, timestamp, snapshot, targets, roles, links }: Repository) {
  const signed = new Set(
    [...links.values()].flatMap((children) => [...children].filter(isSigned).map(([name]) => name)),
  );
  yield ['root', chain.current.metadata] as const;
  yield ['timestamp', timestamp.metadata] as const;
  yield ['snapshot', snapshot.metadata] as const;
  yield ['targets', targets.metadata] as const;
  for (const { name, metadata } of roles.values()) if (signed.has(name)) yield [name, metadata] as const;
}

function isSigned([, link]: readonly [string, Link]): boolean {
  return 'signers' in link;
}
