import type { Log } from '../../oci/log.ts';
import type { NotVouched, Unknown } from '../authority.ts';
import { refusedFinding, Undetermined, undeterminedFinding } from './finding.ts';
import type { Gun } from './gun.ts';
import { NotaryError } from './notary-error.ts';
import { StateUnwritable } from './state-folder.ts';

/** What a judgement that ended with an error comes to. Whatever is not foreseen is a bug of ours: it never vouches. */
export function findingOf(error: unknown, log: Log, gun: Gun): NotVouched | Unknown {
  if (error instanceof NotaryError) return refusedFinding(error);
  if (error instanceof Undetermined) return undeterminedFinding(error);
  if (error instanceof StateUnwritable) {
    return undeterminedFinding(new Undetermined('TRUST_STATE_UNWRITABLE', error.message, 1));
  }
  log.error({ gun, err: error }, 'unexpected error in a judgement');
  return undeterminedFinding(new Undetermined('INTERNAL', 'an unexpected error on the way to the verdict', 1));
}
