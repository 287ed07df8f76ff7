import { createHash } from 'node:crypto';
import type { ClaimName } from './fulcio-claims.ts';
import type { PublicKey } from './public-key.ts';
import type { TextPattern } from './text-pattern.ts';

/** What a signature must be, to count. Made of a checked configuration; nothing in it means "anything". */
export interface CosignPolicy {
  readonly signer: KeySigners | CertificateSigner;
  /** What is asked of a signature's content besides the digest. */
  readonly content: ContentPolicy;
  /** Milliseconds since the signature was made, by its log or timestamp; undefined: any. */
  readonly maxAge: number | undefined;
}

/** Public keys known beforehand, of which `threshold` different ones must have signed. */
export interface KeySigners {
  readonly kind: 'keys';
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
  /** Whether a signature must be in a transparency log of the trusted root. If not, entries are not even looked at. */
  readonly log: boolean;
  /** Whether an RFC 3161 timestamp or a log's signed time must prove when it was made. */
  readonly timestamp: boolean;
}

/**
 * Keyless: a short-lived certificate for an identity, from a CA of the trusted root. That it was valid when it signed must
 * always be proved, by a timestamp or by a log's signed time.
 */
export interface CertificateSigner {
  readonly kind: 'certificate';
  readonly issuer: string;
  readonly identity: TextPattern;
  readonly claims: ReadonlyMap<Exclude<ClaimName, 'issuer'>, TextPattern>;
  readonly log: boolean;
  /** Whether the certificate itself must be in a certificate transparency log. */
  readonly certificateLog: boolean;
}

export interface ContentPolicy {
  /** Undefined: a signature of the image. Otherwise an attestation with exactly this predicate type. */
  readonly predicateType: string | undefined;
  /** By path within the predicate, dots between names. */
  readonly predicate: ReadonlyMap<string, TextPattern>;
  readonly annotations: ReadonlyMap<string, string>;
  /** `{registry}/{repository}`, to be filled in, that the signature must name; undefined: not looked at. */
  readonly reference: string | undefined;
}

/** @throws RangeError for a policy that would accept what nobody meant; the configuration cannot say such a one. */
export function requireStrict({ signer, content }: CosignPolicy): void {
  if (signer.kind === 'certificate') {
    if (signer.issuer === '') throw new RangeError('expected an issuer, got none: any identity provider would do');
    if (signer.identity.literals.every((literal) => literal === '')) {
      throw new RangeError('expected an identity, got none: any holder of a certificate would do');
    }
  } else {
    const ids = new Set(signer.keys.map(({ id }) => id));
    const fit = Number.isSafeInteger(signer.threshold) && signer.threshold >= 1 && signer.threshold <= ids.size;
    if (!fit) throw new RangeError(`expected a threshold from 1 to ${ids.size}, got ${signer.threshold}`);
  }
  if (content.predicate.size > 0 && content.predicateType === undefined) {
    throw new RangeError('expected a predicateType beside conditions on the predicate, got none');
  }
}

/** Changes whenever the policy does: what was found under another one is found anew. */
export function policyId({ signer, content, maxAge }: CosignPolicy): string {
  const who =
    signer.kind === 'keys'
      ? [signer.keys.map(({ id }) => id), signer.threshold, signer.log, signer.timestamp]
      : [signer.issuer, signer.identity.text, texts(signer.claims), signer.log, signer.certificateLog];
  const what = [content.predicateType, texts(content.predicate), [...content.annotations], content.reference, maxAge];
  return createHash('sha256')
    .update(JSON.stringify([signer.kind, who, what]))
    .digest('hex');
}

function texts(patterns: ReadonlyMap<string, TextPattern>): string[][] {
  return [...patterns].map(([name, { text }]) => [name, text]);
}
