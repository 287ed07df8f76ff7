import assert from 'node:assert/strict';
import { checkClaim } from '../../../trust/sigstore/check-claim.ts';
import { readClaim } from '../../../trust/sigstore/image-claim.ts';
import { parseBundle } from '../../../trust/sigstore/parse-bundle.ts';
import type { CertificateSigner, CosignPolicy, KeySigners } from '../../../trust/sigstore/policy.ts';
import { parsePublicKey } from '../../../trust/sigstore/public-key.ts';
import { SigstoreError } from '../../../trust/sigstore/sigstore-error.ts';
import { compileTextPattern } from '../../../trust/sigstore/text-pattern.ts';
import { parseTrustedRoot } from '../../../trust/sigstore/trusted-root.ts';
import { type VerifiedSignature, verifySignature } from '../../../trust/sigstore/verify-signature.ts';
import { type KeyPair, pemText } from '../../support/key-pair.ts';
import type { Json } from '../../support/sigstore-json.ts';
import { IDENTITY, ISSUER, type SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { digestOf } from '../../../oci/digest.ts';

export const DIGEST = digestOf(Buffer.from('the image'));
export const OTHER_DIGEST = digestOf(Buffer.from('another image'));

const ANY_CONTENT: CosignPolicy['content'] = {
  predicateType: undefined,
  predicate: new Map(),
  annotations: new Map(),
  reference: undefined,
};

export function keyless(
  signer: Partial<Omit<CertificateSigner, 'identity'>> & { identity?: string } = {},
  more: Partial<Omit<CosignPolicy, 'content' | 'signer'>> & { content?: Partial<CosignPolicy['content']> } = {},
): CosignPolicy {
  return {
    maxAge: undefined,
    ...more,
    content: { ...ANY_CONTENT, ...more.content },
    signer: {
      kind: 'certificate',
      issuer: ISSUER,
      claims: new Map(),
      log: true,
      certificateLog: true,
      ...signer,
      identity: compileTextPattern(signer.identity ?? IDENTITY),
    },
  };
}

export function keyed(
  keys: readonly KeyPair[],
  signer: Partial<Omit<KeySigners, 'keys'>> = {},
  more: Partial<Omit<CosignPolicy, 'content' | 'signer'>> & { content?: Partial<CosignPolicy['content']> } = {},
): CosignPolicy {
  const known = keys.map(({ publicKey }) => parsePublicKey(pemText(publicKey)));
  return {
    maxAge: undefined,
    ...more,
    content: { ...ANY_CONTENT, ...more.content },
    signer: { kind: 'keys', threshold: 1, log: false, timestamp: false, ...signer, keys: known },
  };
}

export interface Attempt {
  readonly publisher: SigstorePublisher;
  readonly policy: CosignPolicy;
  readonly bundle: Json;
  readonly artifact?: Uint8Array;
  readonly root?: Buffer;
  readonly now?: Date;
}

/** Signature and claim of one bundle, for the image `DIGEST`. @throws SigstoreError */
export function check({ publisher, policy, bundle, artifact, root, now }: Attempt): VerifiedSignature {
  const parsed = parseBundle(Buffer.from(JSON.stringify(bundle)));
  const trust = {
    policy,
    root: parseTrustedRoot(root ?? publisher.trustedRoot()),
    now: now ?? publisher.now,
  };
  const verified = verifySignature(parsed, artifact, trust);
  checkClaim(readClaim(parsed, artifact), { digest: DIGEST, reference: policy.content.reference }, policy.content);
  return verified;
}

/** `REASON message`, or `good`. */
export function outcomeOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'good';
  } catch (error) {
    assert.ok(error instanceof SigstoreError, String(error));
    return `${error.reason} ${error.message}`;
  }
}

/** A copy that may be changed. */
export function changed(bundle: Json, change: (bundle: Json) => void): Json {
  const copy = structuredClone(bundle);
  change(copy);
  return copy;
}
