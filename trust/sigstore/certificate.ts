import { type KeyObject, X509Certificate } from 'node:crypto';
import { DER_OCTET_STRING, DER_SEQUENCE, type DerElement, derChildren, derElement, derHex } from '../der.ts';
import { CLAIMS, type ClaimName, claimText } from './fulcio-claims.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';

/** What a signing certificate says of its holder, read by ourselves: strictly, whole names, nothing twice. */
export interface SigningCertificate {
  readonly der: Buffer;
  readonly key: KeyObject;
  /** The one subject alternative name. */
  readonly identity: SubjectName;
  /** The OIDC issuer that had authenticated the holder. */
  readonly issuer: string | undefined;
  readonly claims: ReadonlyMap<ClaimName, string>;
}

export interface SubjectName {
  readonly kind: 'uri' | 'email' | 'username';
  readonly text: string;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

const KEY_USAGE = '551d0f';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const NAME_CONSTRAINTS = '551d1e';
const EXTENDED_KEY_USAGE = '551d25';
const CODE_SIGNING = '2b06010505070303';
/** Fulcio's otherName for issuers that know user names: 1.3.6.1.4.1.57264.1.7. */
const FULCIO_USERNAME = '2b0601040183bf300107';
/** What we understand; RFC 5280, section 4.2: a certificate with another critical extension must be refused. */
const UNDERSTOOD = new Set([KEY_USAGE, SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE]);

const EXTENSIONS_TAG = 0xa3;
const EMAIL_TAG = 0x81;
const URI_TAG = 0x86;
const OTHER_NAME_TAG = 0xa0;
const DIGITAL_SIGNATURE_BIT = 0x80;

/**
 * The library checks neither key usage nor critical extensions, and looks at the first name only; here a certificate that is
 * not for signing code, or says two things, is refused.
 * @throws SigstoreError METADATA_INVALID, KEY_NOT_TRUSTED
 */
export function readSigningCertificate(der: Uint8Array): SigningCertificate {
  const bytes = Buffer.from(der);
  const { extensions, key } = read(bytes, 'the signing certificate');
  for (const [oid, { critical }] of extensions) {
    if (critical && !UNDERSTOOD.has(oid)) throw unfit(`has a critical extension that is not understood (${oid})`);
  }
  const usage = extensions.get(KEY_USAGE)?.value;
  // A BIT STRING: tag, length, unused bits, then the bits.
  if (usage === undefined || ((usage[3] ?? 0) & DIGITAL_SIGNATURE_BIT) === 0) throw unfit('is not for signatures');
  const purposes = listOf(extensions.get(EXTENDED_KEY_USAGE)?.value);
  if (!purposes.some(({ hex }) => hex === CODE_SIGNING)) throw unfit('is not for signing code');
  if (new X509Certificate(bytes).ca) throw unfit('is a CA');
  const claims = claimsOf(extensions);
  return { der: bytes, key, identity: subjectName(extensions), issuer: issuerOf(claims), claims };
}

/**
 * Name constraints and critical extensions that the library would pass over must not be in a CA that is trusted.
 * @throws SigstoreError METADATA_INVALID
 */
export function checkAuthority(der: Uint8Array, where: string): void {
  const { extensions } = read(Buffer.from(der), where);
  for (const [oid, { critical }] of extensions) {
    if (oid === NAME_CONSTRAINTS || (critical && !UNDERSTOOD.has(oid))) {
      throw malformed(where, 'a certificate without constraints that are not understood', `extension ${oid}`);
    }
  }
}

function read(bytes: Buffer, where: string): { extensions: Map<string, Extension>; key: KeyObject } {
  try {
    return { extensions: extensionsOf(bytes), key: new X509Certificate(bytes).publicKey };
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', `${where} is malformed`, { cause });
  }
}

function extensionsOf(bytes: Uint8Array): Map<string, Extension> {
  const certificate = derElement(bytes, 0);
  if (certificate.end !== bytes.byteLength) throw new RangeError('expected one certificate, got more after it');
  const [tbs] = derChildren(bytes, certificate);
  const field = tbs && derChildren(bytes, tbs).find(({ tag }) => tag === EXTENSIONS_TAG);
  const [list] = field === undefined ? [] : derChildren(bytes, field);
  const found = new Map<string, Extension>();
  for (const element of list === undefined ? [] : derChildren(bytes, list)) {
    const [oid, ...rest] = derChildren(bytes, element);
    const value = rest.at(-1);
    if (oid === undefined || value?.tag !== DER_OCTET_STRING)
      throw new RangeError('expected an extension, got another');
    const name = derHex(bytes, oid);
    // Two readers could each pick another one of them.
    if (found.has(name)) throw new RangeError(`expected each extension once, got ${name} twice`);
    const critical = rest.length > 1 && rest[0] !== undefined && derHex(bytes, rest[0]) !== '00';
    found.set(name, { critical, value: bytes.subarray(value.start, value.end) });
  }
  return found;
}

interface Part {
  readonly element: DerElement;
  readonly hex: string;
  readonly bytes: Uint8Array;
}

/** The parts of a SEQUENCE. */
function listOf(value: Uint8Array | undefined): Part[] {
  if (value === undefined) return [];
  try {
    const list = derElement(value, 0);
    if (list.tag !== DER_SEQUENCE) throw new RangeError('expected a SEQUENCE, got another');
    return derChildren(value, list).map((element) => ({ element, hex: derHex(value, element), bytes: value }));
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', 'an extension of the signing certificate is malformed', { cause });
  }
}

/** Fulcio writes exactly one name. With two, which one is meant would be a guess. */
function subjectName(extensions: ReadonlyMap<string, Extension>): SubjectName {
  const names = listOf(extensions.get(SUBJECT_ALT_NAME)?.value);
  const [name] = names;
  if (names.length !== 1 || name === undefined) throw unfit(`names ${names.length} identities where one was expected`);
  const { bytes, element } = name;
  if (element.tag === URI_TAG) return { kind: 'uri', text: textOf(bytes.subarray(element.start, element.end)) };
  if (element.tag === EMAIL_TAG) return { kind: 'email', text: textOf(bytes.subarray(element.start, element.end)) };
  if (element.tag === OTHER_NAME_TAG) return { kind: 'username', text: username(bytes, element) };
  throw unfit('names its identity in a form that is not supported');
}

function username(bytes: Uint8Array, element: DerElement): string {
  const [oid, wrapped] = derChildren(bytes, element);
  if (oid === undefined || wrapped === undefined || derHex(bytes, oid) !== FULCIO_USERNAME) {
    throw unfit('names its identity in a form that is not supported');
  }
  const text = derElement(bytes, wrapped.start, wrapped.end);
  return textOf(bytes.subarray(text.start, text.end));
}

function claimsOf(extensions: ReadonlyMap<string, Extension>): Map<ClaimName, string> {
  const claims = new Map<ClaimName, string>();
  for (const { name, oid, encoding } of CLAIMS) {
    const extension = extensions.get(oid);
    if (extension === undefined) continue;
    const text = claimText(extension.value, encoding);
    const other = claims.get(name);
    if (other !== undefined && other !== text) throw unfit(`says two things of its ${name}`);
    claims.set(name, text);
  }
  return claims;
}

function issuerOf(claims: ReadonlyMap<ClaimName, string>): string | undefined {
  return claims.get('issuer');
}

function textOf(bytes: Uint8Array): string {
  return claimText(bytes, 'raw');
}

function unfit(what: string): SigstoreError {
  return new SigstoreError('KEY_NOT_TRUSTED', `the signing certificate ${what}`);
}
