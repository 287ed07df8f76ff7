import type { NotVouched, Unknown } from '../authority.ts';
import { faultStep } from '../evidence.ts';
import type { MetadataError } from '../metadata/metadata-error.ts';
import type { Undetermined } from './undetermined.ts';

export function refusedFinding({ reason, message, evidence }: MetadataError): NotVouched {
  return { outcome: 'refused', reason, message, evidence: [...evidence, faultStep(message)] };
}

export function undeterminedFinding({ reason, message, retryAfter }: Undetermined): Unknown {
  return { outcome: 'undetermined', reason, message, retryAfter, evidence: [faultStep(message)] };
}
