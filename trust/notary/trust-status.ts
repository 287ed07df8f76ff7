import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import type { Expiry, TrustStatus } from '../status.ts';
import type { Gun } from './gun.ts';
import type { State } from './repository-state.ts';
import { type TrustedRepository, trustedFilesOf } from './trusted-repository.ts';

/** How the trust in one repository stands: what is remembered of it, and how its last refresh ended. */
export function trustStatusOf(gun: Gun, state: State | undefined, failure: RefreshFailure | undefined): TrustStatus {
  return {
    of: gun,
    refreshedAt: state?.refreshedAt,
    failure: failure && { reason: failure.error.reason, message: failure.error.message, at: failure.at },
    versions: state === undefined ? {} : versionsOf(state.repository),
    expiries: state === undefined ? [] : expiriesOf(state.repository),
  };
}

function versionsOf(repository: TrustedRepository): Record<string, number> {
  const root = repository.chain.current.metadata.version;
  const files = [...trustedFilesOf(repository)].map(([role, { metadata }]) => [role, metadata.version] as const);
  return Object.fromEntries([['root', root], ...files]);
}

function expiriesOf(repository: TrustedRepository): Expiry[] {
  const { current, certifiedUntil } = repository.chain;
  return [
    { what: 'root', at: current.metadata.expires },
    { what: 'certificate of the root key', at: certifiedUntil },
    ...[...trustedFilesOf(repository)].map(([role, { metadata }]) => ({ what: role, at: metadata.expires })),
  ];
}
