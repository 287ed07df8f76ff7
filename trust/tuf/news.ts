import type { Log } from '../../oci/log.ts';
import type { RefreshFailure } from '../refresh/refresh-failure.ts';
import { faultsOf, type Repository } from './repository.ts';

/** What an operator should hear of when what is trusted changes: another root, and roles that cannot be used. */
export function logNews(log: Log, previous: Repository | undefined, repository: Repository): void {
  const { current, signers } = repository.chain;
  if (previous?.chain.current.sha256 !== current.sha256) {
    log.info(
      { root: current.metadata.version, keys: signers.map(({ id }) => id) },
      'the root of trust is now this one',
    );
  }
  const before = previous === undefined ? undefined : faultsOf(previous);
  for (const [role, { reason, message }] of faultsOf(repository)) {
    if (before?.has(role) !== true) log.warn({ role, reason }, `a delegated role cannot be used: ${message}`);
  }
}

export function logFailure(log: Log, err: unknown, { error }: RefreshFailure): void {
  const text = `trust refresh failed: ${error.message}`;
  if (error.reason === 'INTERNAL') log.error({ reason: error.reason, err }, text);
  else log.warn({ reason: error.reason }, text);
}
