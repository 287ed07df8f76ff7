import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import type { Expiry, Renewal, TrustStatus } from '../status.ts';
import type { Gun } from './gun.ts';
import type { State } from './repository-state.ts';
import type { RoleName } from './role-name.ts';
import { type TrustedRepository, trustedFilesOf } from './trusted-repository.ts';

/** How the trust in one repository stands: what is remembered of it, and how its last refresh ended. */
export function trustStatusOf(gun: Gun, state: State | undefined, failure: RefreshFailure | undefined): TrustStatus {
  const trouble = failure && { reason: failure.error.reason, message: failure.error.message, at: failure.at };
  if (state === undefined) return { of: gun, refreshedAt: undefined, failure: trouble, versions: {}, expiries: [] };
  return { ...rememberedStatus(state.repository, state.refreshedAt), failure: trouble };
}

/** The same of what was found on disk: how its last refresh ended is not written there. */
export function rememberedStatus(repository: TrustedRepository, refreshedAt: Date): TrustStatus {
  const { gun } = repository;
  return {
    of: gun,
    refreshedAt,
    failure: undefined,
    versions: versionsOf(repository),
    expiries: expiriesOf(repository),
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
    { what: 'root', at: current.metadata.expires, renewal: 'by-hand' },
    { what: 'certificate of the root key', at: certifiedUntil, renewal: 'by-hand' },
    ...[...trustedFilesOf(repository)].map(([role, { metadata }]) => ({
      what: role,
      at: metadata.expires,
      renewal: renewalOf(role),
    })),
  ];
}

/**
 * A Notary server signs its timestamp anew when it is asked after the old one ended. Of a snapshot it cannot be seen
 * whether the server or the publisher holds the key; it is good for years, so that a warning once too often does no harm.
 */
function renewalOf(role: RoleName): Renewal {
  return role === 'timestamp' ? 'on-demand' : 'by-hand';
}
