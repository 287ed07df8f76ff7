import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, boolean, der, integer, objectId, octetString, sequence, time, utf8 } from './der.ts';

export interface CertificateWish {
  /** Its common name, or several. */
  readonly subject: string | readonly string[];
  readonly publicKey: KeyObject;
  /** Who signs, and under which name; its own subject and key for a self-signed one. */
  readonly issuer: string | readonly string[];
  readonly issuerKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** A leaf, for signing code, unless this is here. */
  readonly ca?: { readonly pathLength?: number };
  /** Instead of SHA-256 with the issuer's kind of key. */
  readonly algorithm?: SignatureAlgorithm;
  /** Further extensions, in DER. */
  readonly extensions?: readonly Buffer[];
}

export interface SignatureAlgorithm {
  readonly oid: string;
  readonly hash: string;
}

const ECDSA_SHA256: SignatureAlgorithm = { oid: '1.2.840.10045.4.3.2', hash: 'sha256' };
const RSA_SHA256: SignatureAlgorithm = { oid: '1.2.840.113549.1.1.11', hash: 'sha256' };

const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** keyUsage, from the left: digitalSignature; keyCertSign and cRLSign. */
const DIGITAL_SIGNATURE = Buffer.from([0x03, 0x02, 0x07, 0x80]);
const CERTIFICATE_SIGNING = Buffer.from([0x03, 0x02, 0x01, 0x06]);

/** An X.509 v3 certificate (RFC 5280, section 4.1) in PEM form, the kind that Notary's tools make for a root key. */
export function makeCertificate(wish: CertificateWish): string {
  const algorithm = wish.algorithm ?? (wish.issuerKey.asymmetricKeyType === 'rsa' ? RSA_SHA256 : ECDSA_SHA256);
  const rsa = wish.issuerKey.asymmetricKeyType === 'rsa';
  const algorithmId = sequence(objectId(algorithm.oid), ...(rsa ? [der(0x05)] : []));
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(randomBytes(16)),
    algorithmId,
    nameOf(wish.issuer),
    sequence(time(wish.notBefore), time(wish.notAfter)),
    nameOf(wish.subject),
    wish.publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensionsOf(wish))),
  );
  const signature = sign(algorithm.hash, tbs, wish.issuerKey);
  return pemOf(sequence(tbs, algorithmId, bitString(signature)));
}

/** One extension: what RFC 5280 calls extnID, critical and extnValue. */
export function extension(oid: string, weight: 'critical' | 'optional', value: Uint8Array): Buffer {
  return sequence(objectId(oid), ...(weight === 'critical' ? [boolean(true)] : []), octetString(value));
}

function extensionsOf({ ca, extensions = [] }: CertificateWish): readonly Buffer[] {
  if (ca === undefined) {
    return [
      extension(KEY_USAGE, 'critical', DIGITAL_SIGNATURE),
      extension(EXTENDED_KEY_USAGE, 'optional', sequence(objectId(CODE_SIGNING))),
      extension(BASIC_CONSTRAINTS, 'critical', sequence()),
      ...extensions,
    ];
  }
  const length = ca.pathLength === undefined ? [] : [integer(ca.pathLength)];
  return [
    extension(KEY_USAGE, 'critical', CERTIFICATE_SIGNING),
    extension(BASIC_CONSTRAINTS, 'critical', sequence(boolean(true), ...length)),
    ...extensions,
  ];
}

function nameOf(commonNames: string | readonly string[]): Buffer {
  return sequence(...[commonNames].flat().map((name) => der(0x31, sequence(objectId(COMMON_NAME), utf8(name)))));
}

function pemOf(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
