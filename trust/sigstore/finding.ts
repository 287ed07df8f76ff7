import type { Digest } from '../../oci/digest.ts';
import type { Finding, NotVouched, Unknown, Vouched } from '../authority.ts';
import type { EvidenceStep } from '../evidence.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { deniedFinding } from '../refresh/denied-finding.ts';
import { Undetermined } from '../refresh/undetermined.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { Judgement } from './judge-image.ts';
import { SigstoreError } from './sigstore-error.ts';
import { SourceUnavailable } from './signature-source.ts';
import type { CurrentRoot } from './trusted-root-source.ts';

/** What a finding rests on besides the signatures. */
export interface Basis {
  readonly digest: Digest;
  readonly root: CurrentRoot | undefined;
  /** Milliseconds after its making that a signature ends; undefined: never. */
  readonly maxAge: number | undefined;
  /** Of policy and trusted root. */
  readonly stateVersion: string;
  readonly now: Date;
}

/** A signature does not end by itself. How old the word that it was good may be is the rule's to say, which knows at most a year. */
const LONGEST_MS = 365 * 24 * 3_600_000;

export function findingOf(judgement: Judgement, basis: Basis): Finding {
  const steps = [...rootSteps(basis.root), ...judgement.steps];
  switch (judgement.kind) {
    case 'signed':
      return vouched(
        judgement.by.map(({ verified }) => verified.signedAt),
        basis,
        steps,
      );
    case 'refused':
      return refusedFinding(judgement.error, steps);
    case 'unavailable':
      return unavailableFinding(judgement.error, steps);
  }
}

function vouched(times: readonly (Date | undefined)[], basis: Basis, evidence: readonly EvidenceStep[]): Vouched {
  const { digest, root, now, maxAge, stateVersion } = basis;
  const signed = times.filter((time) => time !== undefined).map((time) => time.getTime());
  const ends = maxAge === undefined ? [] : signed.map((time) => time + maxAge);
  const rootEnd = root?.validUntil === undefined ? [] : [root.validUntil.getTime()];
  return {
    outcome: 'vouched',
    digest,
    refreshedAt: new Date(Math.min(now.getTime(), root?.refreshedAt.getTime() ?? now.getTime())),
    validUntil: new Date(Math.min(now.getTime() + LONGEST_MS, ...ends, ...rootEnd)),
    stateVersion,
    ...(signed.length === 0 ? {} : { signedAt: new Date(Math.min(...signed)) }),
    evidence,
  };
}

export function refusedFinding(error: SigstoreError, evidence: readonly EvidenceStep[]): NotVouched {
  return { outcome: 'refused', reason: error.reason, message: error.message, evidence };
}

export function unavailableFinding(error: SourceUnavailable, evidence: readonly EvidenceStep[]): Unknown {
  return {
    outcome: 'undetermined',
    reason: 'TRUST_UNREACHABLE',
    message: `its signatures could not be looked for: ${error.message}`,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    evidence,
  };
}

/** @returns undefined for what is a bug of ours */
export function findingOfError(error: unknown): Finding | undefined {
  if (error instanceof SigstoreError) return refusedFinding(error, [{ ok: false, text: error.message }]);
  if (error instanceof SourceUnavailable) return unavailableFinding(error, [{ ok: false, text: error.message }]);
  return OF_THE_ROOT.some((kind) => error instanceof kind) ? deniedFinding(error) : undefined;
}

/** What may be wrong with a trusted root that is kept fresh. */
const OF_THE_ROOT = [MetadataError, Undetermined, StateUnwritable];

function rootSteps(root: CurrentRoot | undefined): EvidenceStep[] {
  if (root === undefined) return [];
  const { version } = root.root;
  const step = { ok: true, text: `trusted root ${version.slice(0, 12)}…`, facts: { trustedRoot: version } };
  return [...(root.notes ?? []), step];
}
