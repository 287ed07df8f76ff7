import type { Digest } from '../../oci/digest.ts';
import type { EvidenceStep } from '../evidence.ts';
import type { Wanted } from './check-claim.ts';
import { type AttestationChain, chainsOf } from './attestation-chain.ts';
import { findSignatures } from './find-signatures.ts';
import type { RegistryReader } from './registry-reader.ts';
import { SigstoreError } from './sigstore-error.ts';
import { SourceUnavailable } from './signature-source.ts';
import { type Counted, Tally } from './tally.ts';
import type { SignatureTrust } from './verify-signature.ts';

/** What came of looking for signatures of one digest. */
export type Judgement =
  | { readonly kind: 'signed'; readonly by: readonly Counted[]; readonly steps: readonly EvidenceStep[] }
  | { readonly kind: 'refused'; readonly error: SigstoreError; readonly steps: readonly EvidenceStep[] }
  | { readonly kind: 'unavailable'; readonly error: SourceUnavailable; readonly steps: readonly EvidenceStep[] };

export interface ImageQuestion {
  readonly reader: RegistryReader;
  readonly trust: SignatureTrust;
  readonly wanted: Wanted;
  /** Whether a signed attestation manifest of BuildKit's counts as well. */
  readonly attestationManifests: boolean;
}

/**
 * Looks for signatures until the policy is satisfied. A proof is a proof, whatever else is wrong beside it; without one,
 * what could not be asked makes it undetermined, and only then is it refused, for the fault that came closest.
 */
export async function judgeImage(question: ImageQuestion): Promise<Judgement> {
  const { reader, trust, wanted } = question;
  const tally = new Tally(trust, wanted);
  for await (const found of findSignatures(reader, wanted.digest, trust.policy.content.predicateType)) {
    tally.add(found);
    if (tally.isSatisfied) return { kind: 'signed', by: tally.counted, steps: tally.steps };
    await turn();
  }
  const direct = judgementOf(tally, trust);
  if (!question.attestationManifests) return direct;
  const chained = await judgeChains(question);
  return better(direct, chained);
}

function judgementOf(tally: Tally, { policy }: SignatureTrust): Judgement {
  const { steps, threshold, counted } = tally;
  if (tally.isSatisfied) return { kind: 'signed', by: counted, steps };
  if (tally.unavailable !== undefined) return { kind: 'unavailable', error: tally.unavailable, steps };
  const some = `${counted.length} of the ${threshold} required keys have signed it`;
  const error =
    counted.length > 0 ? new SigstoreError('SIGNERS_MISSING', some) : (tally.closest ?? nothingFound(policy));
  return { kind: 'refused', error, steps };
}

function nothingFound({ content: { predicateType } }: SignatureTrust['policy']): SigstoreError {
  return predicateType === undefined
    ? new SigstoreError('NOT_SIGNED', 'no signature of it was found')
    : new SigstoreError('ATTESTATION_MISSING', `no attestation of type ${predicateType} was found`);
}

/** BuildKit's way: each image of an index has an attestation manifest, and that is what is signed. All of them must be. */
async function judgeChains(question: ImageQuestion): Promise<Judgement> {
  const { reader, trust, wanted } = question;
  const steps: EvidenceStep[] = [];
  const by: Counted[] = [];
  try {
    for await (const chain of chainsOf(reader, wanted, trust.policy.content)) {
      const judged = await judgeLinks(question, chain);
      steps.push({ ok: judged.kind === 'signed', text: `attestation manifest of ${chain.image}`, steps: judged.steps });
      if (judged.kind !== 'signed') return { ...judged, steps };
      by.push(...judged.by);
    }
  } catch (error) {
    if (error instanceof SigstoreError) return { kind: 'refused', error, steps };
    if (error instanceof SourceUnavailable) return { kind: 'unavailable', error, steps };
    throw error;
  }
  if (by.length === 0) return { kind: 'refused', error: nothingFound(trust.policy), steps };
  return { kind: 'signed', by, steps };
}

async function judgeLinks(
  question: ImageQuestion,
  { image, attestations, need }: AttestationChain,
): Promise<Judgement> {
  const judged: Judgement[] = [];
  for (const digest of attestations) {
    const link = await judgeLink(question, digest);
    judged.push(link);
    if (link.kind === 'signed' ? need === 'any' : need === 'all') return link;
  }
  const error = new SigstoreError('NOT_SIGNED', `the image ${image} has no attestation manifest`);
  if (judged.length === 0) return { kind: 'refused', error, steps: [] };
  return judged.reduce(need === 'all' ? together : better);
}

/** The attestation manifest is signed as a whole; what the policy asks of predicates was asked of its layers. */
async function judgeLink({ reader, trust }: ImageQuestion, digest: Digest): Promise<Judgement> {
  const content = { predicateType: undefined, predicate: new Map(), annotations: new Map(), reference: undefined };
  const tally = new Tally(trust, { digest, reference: undefined }, content);
  for await (const found of findSignatures(reader, digest, undefined)) {
    tally.add(found);
    if (tally.isSatisfied) break;
    await turn();
  }
  return judgementOf(tally, trust);
}

/** Of two that are both signed. */
function together(first: Judgement, second: Judgement): Judgement {
  if (first.kind !== 'signed' || second.kind !== 'signed') return first.kind === 'signed' ? second : first;
  return { kind: 'signed', by: [...first.by, ...second.by], steps: [...first.steps, ...second.steps] };
}

/** An unknown outweighs a refusal; of two refusals, the one that says more than "nothing found". */
function better(first: Judgement, second: Judgement): Judgement {
  const steps = [...first.steps, ...second.steps];
  for (const kind of ['signed', 'unavailable'] as const) {
    const found = [first, second].find((judged) => judged.kind === kind);
    if (found !== undefined) return { ...found, steps };
  }
  const saysLittle = first.kind === 'refused' && ['NOT_SIGNED', 'ATTESTATION_MISSING'].includes(first.error.reason);
  return { ...(saysLittle ? second : first), steps };
}

/** Between two signatures everybody else gets a turn: verification is work, and this is the thread that serves. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
