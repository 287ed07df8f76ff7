import type { Log } from '../../oci/log.ts';
import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import type { Gun } from './gun.ts';
import type { Pin } from './pin.ts';
import type { TrustedRepository } from './trusted-repository.ts';

/** What an operator should know of metadata that has just become the trusted one. */
export function logReplaced(
  log: Log,
  pin: Pin,
  previous: TrustedRepository | undefined,
  { gun, chain, skipped }: TrustedRepository,
): void {
  const { current, signers } = chain;
  const root = { gun, root: current.metadata.version, keys: signers.map(({ key }) => key.id) };
  if (previous === undefined && pin.kind === 'tofu') {
    log.warn(root, 'trust on first use: this root was taken without proof, and is what later ones must follow from');
  } else if (previous?.chain.current.sha256 !== current.sha256) log.info(root, 'the root of trust is now this one');
  for (const [role, { why }] of skipped) {
    if (previous?.skipped.has(role) !== true) log.warn({ gun, role }, `delegation passed over: ${why}`);
  }
}

/** Why a refresh failed. */
export function logFailure(log: Log, gun: Gun, { error }: RefreshFailure, err: unknown): void {
  const text = `trust refresh failed: ${error.message}`;
  if (error.reason === 'INTERNAL') log.error({ gun, reason: error.reason, err }, text);
  // Unsigned repositories are asked for every day; that is news for whoever asked, not for the operator.
  else if (error.reason === 'NOT_SIGNED') log.info({ gun, reason: error.reason }, text);
  else log.warn({ gun, reason: error.reason }, text);
}
