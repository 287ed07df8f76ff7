import { X509Certificate } from 'node:crypto';
import { DER_BOOLEAN, DER_INTEGER, DER_SEQUENCE, type DerElement, derChildren, derElement, derHex } from '../der.ts';
import { MetadataError } from '../metadata/metadata-error.ts';

/** A certificate with what `node:crypto` does not tell of it. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** The last part of the subject, as text; `undefined` when there is none, or several to choose from. */
  readonly commonName: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** basicConstraints: most further CAs below this one. */
  readonly pathLength: number;
  /** Object identifiers, as the hex of their DER contents, of critical extensions that we do not know. */
  readonly unknownCritical: readonly string[];
}

/** A leaf and a handful of intermediates; more only serves to keep a processor busy. */
const BUNDLE_LIMIT = 10;

const PEM_BUNDLE = /^(?:\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*$/;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** As hex of DER: SHA-256, -384 and -512 with RSA (PKCS #1 v1.5) and with ECDSA; Ed25519. Not SHA-1, MD5, DSA. */
const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  '2a864886f70d01010b',
  '2a864886f70d01010c',
  '2a864886f70d01010d',
  '2a8648ce3d040302',
  '2a8648ce3d040303',
  '2a8648ce3d040304',
  '2b6570',
]);

const BASIC_CONSTRAINTS = '551d13';
/** basicConstraints, keyUsage and extKeyUsage: looked at here, or by OpenSSL. */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, '551d0f', '551d25']);

/** The tag of the extensions in a TBSCertificate (RFC 5280, section 4.1). */
const EXTENSIONS_TAG = 0xa3;

/**
 * Reads a PEM bundle: certificates and white space, nothing else. Certificates whose own signature uses a broken hash
 * are refused here, for roots, intermediates and delegations alike: with SHA-1 the subject can be exchanged.
 * @throws MetadataError KEY_NOT_TRUSTED
 */
export function parseCertificates(pem: string): readonly Certificate[] {
  if (!PEM_BUNDLE.test(pem)) throw untrusted('expected certificates in PEM form, got something else');
  const blocks = [...pem.matchAll(PEM_CERTIFICATE)];
  if (blocks.length > BUNDLE_LIMIT) {
    throw untrusted(`expected at most ${BUNDLE_LIMIT} certificates in a bundle, got ${blocks.length}`);
  }
  return blocks.map((block) => parseCertificate(Buffer.from(block[1] ?? '', 'base64')));
}

function parseCertificate(der: Buffer): Certificate {
  try {
    const x509 = new X509Certificate(der);
    if (!x509.raw.equals(der)) throw untrusted('expected one certificate in each block, got more bytes');
    const [tbs, algorithm] = derChildren(der, derElement(der, 0));
    const oid = algorithm === undefined ? '' : firstHex(der, algorithm);
    if (tbs === undefined || !SIGNATURE_ALGORITHMS.has(oid)) {
      throw untrusted(
        `expected a certificate signed with SHA-256 or better, got algorithm ${oid} (SHA-1 and MD5 are broken)`,
      );
    }
    return {
      x509,
      commonName: commonNameOf(x509),
      notBefore: x509.validFromDate,
      notAfter: x509.validToDate,
      ...extensionsOf(der, tbs),
    };
  } catch (cause) {
    if (cause instanceof MetadataError) throw cause;
    throw new MetadataError('KEY_NOT_TRUSTED', 'expected an X.509 certificate, got something else', { cause });
  }
}

/** Two common names would let two readers match two different repositories. */
function commonNameOf(x509: X509Certificate): string | undefined {
  const name: unknown = x509.toLegacyObject().subject.CN;
  return typeof name === 'string' ? name : undefined;
}

function extensionsOf(der: Buffer, tbs: DerElement): Pick<Certificate, 'pathLength' | 'unknownCritical'> {
  let pathLength = Number.POSITIVE_INFINITY;
  const unknownCritical: string[] = [];
  const wrapper = derChildren(der, tbs).find(({ tag }) => tag === EXTENSIONS_TAG);
  const list = wrapper === undefined ? undefined : derChildren(der, wrapper)[0];
  for (const extension of list === undefined ? [] : derChildren(der, list)) {
    const parts = derChildren(der, extension);
    const oid = firstHex(der, extension);
    const critical = parts[1]?.tag === DER_BOOLEAN && derHex(der, parts[1]) !== '00';
    if (critical && !KNOWN_EXTENSIONS.has(oid)) unknownCritical.push(oid);
    const value = parts.at(-1);
    if (oid === BASIC_CONSTRAINTS && value !== undefined) pathLength = pathLengthOf(der, value);
  }
  return { pathLength, unknownCritical };
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
function pathLengthOf(der: Buffer, value: DerElement): number {
  const constraints = derElement(der, value.start, value.end);
  if (constraints.tag !== DER_SEQUENCE) throw new RangeError('expected basicConstraints, got another structure');
  const length = derChildren(der, constraints).find(({ tag }) => tag === DER_INTEGER);
  return length === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(derHex(der, length), 16);
}

function firstHex(der: Buffer, parent: DerElement): string {
  const first = derChildren(der, parent)[0];
  return first === undefined ? '' : derHex(der, first);
}

function untrusted(message: string): MetadataError {
  return new MetadataError('KEY_NOT_TRUSTED', message);
}
