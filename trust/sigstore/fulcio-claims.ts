import { derElement } from '../der.ts';
import { SigstoreError } from './sigstore-error.ts';

/** The claims of a Fulcio certificate that a policy can ask about, under the names of Fulcio's own list of extensions. */
export const CLAIM_NAMES = [
  'issuer',
  'buildSignerURI',
  'buildSignerDigest',
  'runnerEnvironment',
  'sourceRepositoryURI',
  'sourceRepositoryDigest',
  'sourceRepositoryRef',
  'sourceRepositoryOwnerURI',
  'buildConfigURI',
  'buildTrigger',
  'sourceRepositoryVisibility',
] as const;
export type ClaimName = (typeof CLAIM_NAMES)[number];

interface Claim {
  readonly name: ClaimName;
  /** Contents of the object identifier, in hex. */
  readonly oid: string;
  readonly encoding: 'raw' | 'utf8String';
}

/** Fulcio's arc, 1.3.6.1.4.1.57264.1, and the number below it. */
const numbered = (number: number) => `2b0601040183bf3001${number.toString(16).padStart(2, '0')}`;

/** Up to .6 the bare text, from .8 on a DER UTF8String (fulcio, oid-info). */
export const CLAIMS: readonly Claim[] = [
  { name: 'issuer', oid: numbered(8), encoding: 'utf8String' },
  { name: 'issuer', oid: numbered(1), encoding: 'raw' },
  { name: 'buildSignerURI', oid: numbered(9), encoding: 'utf8String' },
  { name: 'buildSignerDigest', oid: numbered(10), encoding: 'utf8String' },
  { name: 'runnerEnvironment', oid: numbered(11), encoding: 'utf8String' },
  { name: 'sourceRepositoryURI', oid: numbered(12), encoding: 'utf8String' },
  { name: 'sourceRepositoryDigest', oid: numbered(13), encoding: 'utf8String' },
  { name: 'sourceRepositoryRef', oid: numbered(14), encoding: 'utf8String' },
  { name: 'sourceRepositoryOwnerURI', oid: numbered(16), encoding: 'utf8String' },
  { name: 'buildConfigURI', oid: numbered(18), encoding: 'utf8String' },
  { name: 'buildTrigger', oid: numbered(20), encoding: 'utf8String' },
  { name: 'sourceRepositoryVisibility', oid: numbered(22), encoding: 'utf8String' },
];

const UTF8_STRING = 0x0c;

/** @throws SigstoreError METADATA_INVALID: no text, or bytes that are no text. The library would drop a high bit and go on. */
export function claimText(value: Uint8Array, encoding: Claim['encoding']): string {
  try {
    const bytes = encoding === 'raw' ? value : contentsOf(value);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', 'a text in the signing certificate is malformed', { cause });
  }
}

function contentsOf(value: Uint8Array): Uint8Array {
  const { tag, start, end } = derElement(value, 0);
  if (tag !== UTF8_STRING || end !== value.byteLength) throw new RangeError('expected a UTF8String, got another');
  return value.subarray(start, end);
}
