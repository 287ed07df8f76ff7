import type { EvidenceStep } from '../evidence.ts';
import type { RefusalReason } from '../reason.ts';
import { checkClaim, type Wanted } from './check-claim.ts';
import { faultStep, signatureStep } from './evidence.ts';
import type { Candidate, Found } from './find-signatures.ts';
import { readClaim } from './image-claim.ts';
import type { ContentPolicy } from './policy.ts';
import { SigstoreError } from './sigstore-error.ts';
import { SourceUnavailable } from './signature-source.ts';
import { type SignatureTrust, type VerifiedSignature, verifySignature } from './verify-signature.ts';

/** A signature that satisfies. */
export interface Counted {
  readonly candidate: Candidate;
  readonly verified: VerifiedSignature;
}

/**
 * Of several faults the one that came closest says most: somebody else's signature is beside the point where the right
 * signer's is merely too old. Later in the list is closer.
 */
const CLOSENESS: readonly RefusalReason[] = [
  'METADATA_INVALID',
  'METADATA_MISMATCH',
  'KEY_NOT_TRUSTED',
  'IDENTITY_MISMATCH',
  'SIGNATURE_UNSUPPORTED',
  'SIGNATURE_INVALID',
  'SUBJECT_MISMATCH',
  'ATTESTATION_MISSING',
  'SIGNATURE_UNLOGGED',
  'SIGNATURE_EXPIRED',
];

/** Counts, for one digest, what was found against what the policy asks. Pure: it fetches nothing. */
export class Tally {
  readonly #trust: SignatureTrust;
  readonly #content: ContentPolicy;
  readonly #wanted: Wanted;
  readonly #bySigner = new Map<string, Counted>();
  readonly #steps: EvidenceStep[] = [];
  #closest: SigstoreError | undefined;
  #unavailable: SourceUnavailable | undefined;

  /** @param content what is asked of the content, where that differs from the policy's own */
  constructor(trust: SignatureTrust, wanted: Wanted, content: ContentPolicy = trust.policy.content) {
    this.#trust = trust;
    this.#wanted = wanted;
    this.#content = content;
  }

  /** Different signers that satisfy. */
  get counted(): readonly Counted[] {
    return [...this.#bySigner.values()];
  }

  get isSatisfied(): boolean {
    return this.#bySigner.size >= this.threshold;
  }

  get threshold(): number {
    const { signer } = this.#trust.policy;
    return signer.kind === 'keys' ? signer.threshold : 1;
  }

  /** What was looked at, in order. */
  get steps(): readonly EvidenceStep[] {
    return this.#steps;
  }

  /** The fault that says most. */
  get closest(): SigstoreError | undefined {
    return this.#closest;
  }

  /** Where signatures may be that could not be looked at. */
  get unavailable(): SourceUnavailable | undefined {
    return this.#unavailable;
  }

  /** Never throws for anything that was found. */
  add(found: Found): void {
    if ('fault' in found) {
      this.#note(found.fault.form, found.fault.error);
      return;
    }
    const { candidate } = found;
    try {
      this.#count(candidate);
    } catch (error) {
      if (!(error instanceof SigstoreError)) throw error;
      this.#note(candidate.form, error);
    }
  }

  #count(candidate: Candidate): void {
    const { bundle, artifact } = candidate;
    const verified = verifySignature(bundle, artifact, this.#trust);
    checkClaim(readClaim(bundle, artifact), this.#wanted, this.#content);
    const signer = verified.signer.kind === 'key' ? verified.signer.key.id : verified.signer.certificate.identity.text;
    if (!this.#bySigner.has(signer)) this.#bySigner.set(signer, { candidate, verified });
    this.#steps.push(signatureStep(candidate, verified, this.#trust.root?.version));
  }

  #note(form: string, error: SigstoreError | SourceUnavailable): void {
    this.#steps.push(faultStep(form, error));
    if (error instanceof SourceUnavailable) this.#unavailable ??= error;
    else if (this.#closest === undefined || closeness(error) > closeness(this.#closest)) this.#closest = error;
  }
}

function closeness({ reason }: SigstoreError): number {
  return CLOSENESS.indexOf(reason);
}
