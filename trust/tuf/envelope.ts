import { canonicalJson } from '../metadata/canonical-json.ts';
import { parseExpiry } from '../metadata/expiry.ts';
import { Fields } from '../metadata/fields.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { echo, MetadataError, malformed } from '../metadata/metadata-error.ts';
import { type JsonObject, parseStrictJson } from '../metadata/strict-json.ts';
import { SIGNATURE_LIMIT } from './metadata-limits.ts';
import type { Signed } from './signature.ts';

export type MetadataType = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** TUF specification 4.3: a file taken apart, nothing of it believed yet. */
export interface Envelope extends Signed {
  readonly fields: Fields;
  readonly version: number;
  readonly expires: Date;
}

/** What every kind of metadata is, once its signatures were found good. */
export interface Dated {
  readonly version: number;
  readonly expires: Date;
}

/** A file that was found good, as the bytes that came. */
export interface TrustedFile<Metadata extends Dated = Dated> {
  readonly bytes: Uint8Array;
  /** Of the bytes, hex. */
  readonly sha256: string;
  /** SHA-256 of what was signed, in hex: the same document, whoever else signed it since. */
  readonly signedHash: string;
  readonly metadata: Metadata;
}

/** The major version of the specification that this program knows. */
const SPEC_VERSION = /^1\.[0-9]{1,4}(?:\.[0-9]{1,4})?$/;

const COMMON = ['_type', 'spec_version', 'version', 'expires'];

/** @param where the role, for messages. @throws MetadataError METADATA_INVALID */
export function openEnvelope(
  bytes: Uint8Array,
  { type, limit, where, names }: { type: MetadataType; limit: number; where: string; names: readonly string[] },
): Envelope {
  const outer = new Fields(parseJson(bytes, limit, where), where, ['signed', 'signatures']);
  const signed: JsonObject = outer.object('signed');
  const fields = new Fields(signed, where, [...COMMON, ...names]);
  if (fields.text('_type') !== type) throw malformed(where, `metadata of type ${type}`, echo(fields.text('_type')));
  if (!SPEC_VERSION.test(fields.text('spec_version'))) {
    throw malformed(where, 'spec_version 1.x', echo(fields.text('spec_version')));
  }
  return {
    fields,
    version: fields.integer('version', 1),
    expires: parseExpiry(fields.text('expires'), where),
    message: canonicalJson(signed),
    signatures: parseSignatures(outer, where),
  };
}

/** What is fetched over http is at times a login page, or a gateway's error page: said as what it is. */
function parseJson(bytes: Uint8Array, limit: number, where: string) {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart();
  if (start.startsWith('<')) throw malformed(where, 'TUF metadata (JSON)', 'a page of HTML or XML');
  return parseStrictJson(bytes, limit, where);
}

function parseSignatures(outer: Fields, where: string): ReadonlyMap<string, string> {
  const signatures = new Map<string, string>();
  for (const value of outer.list('signatures', SIGNATURE_LIMIT)) {
    const fields = new Fields(value, where, ['keyid', 'sig']);
    const id = fields.text('keyid');
    if (signatures.has(id)) throw malformed(where, 'one signature a key', `two of ${echo(id)}`);
    signatures.set(id, fields.text('sig'));
  }
  return signatures;
}

export function trustedFile<Metadata extends Dated>(
  bytes: Uint8Array,
  envelope: Envelope,
  metadata: Metadata,
): TrustedFile<Metadata> {
  return { bytes, sha256: hexDigest('sha256', bytes), signedHash: hexDigest('sha256', envelope.message), metadata };
}

/** @throws MetadataError METADATA_EXPIRED: good up to that moment, not at it (specification 5.3.10: expired when `now` is not before it). */
export function requireUnexpired(expires: Date, now: Date, where: string): void {
  if (now < expires) return;
  throw new MetadataError(
    'METADATA_EXPIRED',
    `${where} expired ${expires.toISOString()}, and no newer one is published`,
  );
}
