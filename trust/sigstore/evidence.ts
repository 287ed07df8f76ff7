import type { EvidenceStep } from '../evidence.ts';
import type { Candidate } from './find-signatures.ts';
import { SigstoreError } from './sigstore-error.ts';
import type { SourceUnavailable } from './signature-source.ts';
import type { VerifiedSignature } from './verify-signature.ts';

/** One signature that counts: who, when, where it is logged and where it was found. */
export function signatureStep(
  { form, manifest }: Pick<Candidate, 'form' | 'manifest'>,
  { signer, signedAt, log }: VerifiedSignature,
  root: string | undefined,
): EvidenceStep {
  const when = signedAt === undefined ? '' : ` on ${signedAt.toISOString()}`;
  const logged = log === undefined ? '' : `, entry ${log.index} of the log ${log.id.slice(0, 12)}…`;
  return {
    ok: true,
    text: `signed by ${signerText(signer)}${when}${logged} (${form})`,
    facts: {
      form,
      manifest,
      ...signerFacts(signer),
      ...(signedAt === undefined ? {} : { signedAt: signedAt.toISOString() }),
      ...(log === undefined ? {} : { logIndex: log.index, logId: log.id }),
      ...(root === undefined ? {} : { trustedRoot: root }),
    },
  };
}

export function faultStep(form: string, error: SigstoreError | SourceUnavailable): EvidenceStep {
  const facts = error instanceof SigstoreError ? { form, reason: error.reason } : { form };
  return { ok: false, text: `${form}: ${error.message}`, facts };
}

function signerText(signer: VerifiedSignature['signer']): string {
  if (signer.kind === 'key') return `key ${signer.key.id.slice(0, 12)}…`;
  const { identity, issuer } = signer.certificate;
  return `${identity.text} (${issuer})`;
}

function signerFacts(signer: VerifiedSignature['signer']): Record<string, string> {
  if (signer.kind === 'key') return { keyId: signer.key.id };
  const { identity, claims } = signer.certificate;
  return { identity: identity.text, ...Object.fromEntries(claims) };
}
