import type { Digest } from '../../oci/digest.ts';
import type { NotVouched, Unknown, Vouched } from '../authority.ts';
import type { EvidenceStep } from '../evidence.ts';
import type { UndeterminedReason } from '../reason.ts';
import { coreExpiry } from './assemble.ts';
import { faultStep, vouchedSteps } from './evidence.ts';
import type { NotaryError } from './notary-error.ts';
import type { Pin } from './pin.ts';
import type { Resolution } from './resolve.ts';
import type { TrustedRepository } from './trusted-repository.ts';
import { stateVersionOf } from './update.ts';

/** It could not be found out. Denied as well, but said as what it is. */
export class Undetermined extends Error {
  override readonly name = 'Undetermined';
  readonly reason: UndeterminedReason;
  /** Seconds. */
  readonly retryAfter: number;

  constructor(reason: UndeterminedReason, message: string, retryAfter: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** What is vouched for, and what it rests on. */
export interface Basis {
  readonly digest: Digest;
  readonly resolution: Resolution;
  readonly repository: TrustedRepository;
  readonly refreshedAt: Date;
  readonly pin: Pin;
  /** What is to be said about the freshness of it all. */
  readonly notes: readonly EvidenceStep[];
}

export function vouchedFinding({ digest, resolution, repository, refreshedAt, pin, notes }: Basis): Vouched {
  const ends = resolution.used.map(({ metadata }) => metadata.expires.getTime());
  return {
    outcome: 'vouched',
    digest,
    size: resolution.size,
    refreshedAt,
    validUntil: new Date(Math.min(coreExpiry(repository).getTime(), ...ends)),
    stateVersion: stateVersionOf(repository),
    evidence: [...notes, ...vouchedSteps(repository, resolution, pin)],
  };
}

export function refusedFinding({ reason, message, evidence }: NotaryError): NotVouched {
  return { outcome: 'refused', reason, message, evidence: [...evidence, faultStep(message)] };
}

export function undeterminedFinding({ reason, message, retryAfter }: Undetermined): Unknown {
  return { outcome: 'undetermined', reason, message, retryAfter, evidence: [faultStep(message)] };
}
