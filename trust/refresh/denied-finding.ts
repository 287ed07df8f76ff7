import type { NotVouched, Unknown } from '../authority.ts';
import { faultStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import { Undetermined } from './undetermined.ts';

export function refusedFinding({ reason, message, evidence }: MetadataError): NotVouched {
  return { outcome: 'refused', reason, message, evidence: [...evidence, faultStep(message)] };
}

export function undeterminedFinding({ reason, message, retryAfter }: Undetermined): Unknown {
  return { outcome: 'undetermined', reason, message, retryAfter, evidence: [faultStep(message)] };
}

/** Whatever went wrong on the way to a judgement. INTERNAL is a bug of ours: whoever gets it logs the error. */
export function deniedFinding(error: unknown): NotVouched | Unknown {
  if (error instanceof MetadataError) return refusedFinding(error);
  if (error instanceof Undetermined) return undeterminedFinding(error);
  if (error instanceof StateUnwritable) {
    return undeterminedFinding(new Undetermined('TRUST_STATE_UNWRITABLE', error.message, 1));
  }
  return undeterminedFinding(new Undetermined('INTERNAL', 'an unexpected error on the way to the verdict', 1));
}
