import { parseDigest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Vouched } from '../authority.ts';
import type { EvidenceStep } from '../evidence.ts';
import { coreExpiry } from './assemble.ts';
import { vouchedSteps } from './evidence.ts';
import type { Resolution } from './search.ts';
import type { State } from './state.ts';

/** What a vouched digest rests on. */
export type Basis = Pick<State, 'repository' | 'renewedAt' | 'version'> & {
  /** What is to be said about the freshness of it all. */
  readonly notes: readonly EvidenceStep[];
};

export function vouchedFinding(reference: Reference, resolution: Resolution, basis: Basis): Vouched {
  const { repository, renewedAt, version, notes } = basis;
  const { target, visited } = resolution;
  const ends = visited.map(({ metadata }) => metadata.expires.getTime());
  return {
    outcome: 'vouched',
    digest: reference.kind === 'digest' ? reference.digest : parseDigest(`sha256:${target.sha256}`),
    size: target.length,
    // Freshness counts from the last sign of life of the publisher, not from our last look.
    refreshedAt: renewedAt,
    validUntil: new Date(Math.min(coreExpiry(repository).getTime(), ...ends)),
    stateVersion: version,
    evidence: [...notes, ...vouchedSteps(repository, resolution)],
  };
}
