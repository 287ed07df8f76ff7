import { createHash } from 'node:crypto';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { isObject, memberOf, membersOf, parseBoundedJson, textOf } from './bounded-json.ts';
import { checkAuthority } from './certificate.ts';
import { echo, malformed, SigstoreError } from './sigstore-error.ts';

/** A trusted_root.json, checked: which CAs, logs and timestamp authorities are believed, and when each may have spoken. */
export interface TrustedRoot {
  readonly material: TrustMaterial;
  /** SHA-256 of its bytes, in hex: it names the root in evidence, and what was found under another root is found anew. */
  readonly version: string;
}

type RootMessage = Parameters<typeof toTrustMaterial>[0];
type LogMessage = RootMessage['tlogs'][number];
type AuthorityMessage = RootMessage['certificateAuthorities'][number];

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/;

/** protobuf-specs, `PublicKeyDetails`, as far as keys of logs have them. */
const KEY_DETAILS: Readonly<Record<string, number>> = {
  PKCS1_RSA_PKCS1V5: 1,
  PKIX_ECDSA_P256_SHA_256: 5,
  PKIX_ED25519: 7,
  PKIX_ED25519_PH: 8,
  PKIX_ECDSA_P384_SHA_384: 12,
  PKIX_ECDSA_P521_SHA_512: 13,
};

/**
 * The library takes whatever is there: a missing start for "since 1970", no media type for fine. Here everything is said, or
 * the whole root is refused.
 * @throws SigstoreError METADATA_INVALID
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  const json = parseBoundedJson(bytes, 'the trusted root', 'short');
  if (!isObject(json)) throw malformed('the trusted root', 'an object', typeof json);
  const mediaType = textOf(json.mediaType, 'mediaType of the trusted root');
  if (!MEDIA_TYPE.test(mediaType)) throw malformed('the trusted root', 'a known media type', echo(mediaType));
  const message: RootMessage = {
    mediaType,
    tlogs: logsAt(json, 'tlogs'),
    ctlogs: logsAt(json, 'ctlogs'),
    certificateAuthorities: authoritiesAt(json, 'certificateAuthorities'),
    timestampAuthorities: authoritiesAt(json, 'timestampAuthorities'),
  };
  if ([...message.tlogs, ...message.certificateAuthorities, ...message.timestampAuthorities].length === 0) {
    throw malformed('the trusted root', 'a log, a CA or a timestamp authority', 'none');
  }
  return { material: materialOf(message), version: createHash('sha256').update(bytes).digest('hex') };
}

function materialOf(message: RootMessage): TrustMaterial {
  try {
    // Keys come from the policy, never by a hint that a bundle gives.
    return toTrustMaterial(message, () => {
      throw new SigstoreError('KEY_NOT_TRUSTED', 'it is signed with a key where a certificate was expected');
    });
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', 'a key or certificate of the trusted root is malformed', { cause });
  }
}

function logsAt(json: unknown, field: string): LogMessage[] {
  return membersOf(memberOf(json, field), field).map((entry, at): LogMessage => {
    const where = `${field}[${at}] of the trusted root`;
    const publicKey = memberOf(entry, 'publicKey');
    const details = textOf(memberOf(publicKey, 'keyDetails'), `${where}, keyDetails`);
    const keyDetails = KEY_DETAILS[details];
    if (keyDetails === undefined)
      throw malformed(where, `one of ${Object.keys(KEY_DETAILS).join(', ')}`, echo(details));
    return {
      baseUrl: textOf(memberOf(entry, 'baseUrl'), `${where}, baseUrl`),
      hashAlgorithm: 1,
      publicKey: { rawBytes: bytesAt(publicKey, where), keyDetails, validFor: period(publicKey, where) },
      logId: { keyId: bytesAt(memberOf(entry, 'logId'), where, 'keyId') },
      checkpointKeyId:
        memberOf(entry, 'checkpointKeyId') === undefined
          ? undefined
          : { keyId: bytesAt(memberOf(entry, 'checkpointKeyId'), where, 'keyId') },
      operator: '',
    };
  });
}

function authoritiesAt(json: unknown, field: string): AuthorityMessage[] {
  return membersOf(memberOf(json, field), field).map((entry, at): AuthorityMessage => {
    const where = `${field}[${at}] of the trusted root`;
    const certificates = membersOf(memberOf(memberOf(entry, 'certChain'), 'certificates'), where).map(
      (certificate) => ({
        rawBytes: bytesAt(certificate, where),
      }),
    );
    if (certificates.length === 0) throw malformed(where, 'a certificate', 'none');
    for (const { rawBytes } of certificates) checkAuthority(rawBytes, where);
    return {
      subject: undefined,
      uri: '',
      certChain: { certificates },
      validFor: period(entry, where),
      operator: '',
    };
  });
}

/** Both ends as dates; no end means "until further notice", no start means nothing and is refused. */
function period(value: unknown, where: string): { start: Date; end: Date | undefined } {
  const validFor = memberOf(value, 'validFor');
  const end = memberOf(validFor, 'end');
  return {
    start: dateOf(memberOf(validFor, 'start'), `${where}, validFor.start`),
    end: end === undefined ? undefined : dateOf(end, `${where}, validFor.end`),
  };
}

function dateOf(value: unknown, where: string): Date {
  const text = textOf(value, where);
  const date = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? text : Number.NaN);
  if (Number.isNaN(date.getTime())) throw malformed(where, 'a date in RFC 3339, UTC', echo(text));
  return date;
}

function bytesAt(value: unknown, where: string, field = 'rawBytes'): Buffer {
  const bytes = Buffer.from(textOf(memberOf(value, field), `${where}, ${field}`), 'base64');
  if (bytes.byteLength === 0) throw malformed(`${where}, ${field}`, 'base64', 'nothing');
  return bytes;
}
