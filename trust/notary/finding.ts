import type { Digest } from '../../oci/digest.ts';
import type { Vouched } from '../authority.ts';
import type { EvidenceStep } from '../evidence.ts';
import { coreExpiry } from './assemble.ts';
import { vouchedSteps } from './evidence.ts';
import type { Pin } from './pin.ts';
import type { Resolution } from './resolve.ts';
import type { TrustedRepository } from './trusted-repository.ts';
import { stateVersionOf } from './update.ts';

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
