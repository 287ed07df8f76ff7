import { canonicalJson } from '../metadata/canonical-json.ts';
import { parseExpiry } from '../metadata/expiry.ts';
import { Fields } from '../metadata/fields.ts';
import { echo, MetadataError } from '../metadata/metadata-error.ts';
import { type JsonObject, parseStrictJson } from '../metadata/strict-json.ts';
import { METADATA_LIMIT, SIGNATURE_LIMIT } from './metadata-limits.ts';
import { parseSignature, type Signed } from './signature.ts';

/** What all roles have in common. Nothing of it is believed before the signatures are checked. */
export interface Envelope extends Signed {
  readonly body: JsonObject;
  readonly version: number;
  readonly expires: Date;
}

export type MetadataType = 'Root' | 'Timestamp' | 'Snapshot' | 'Targets';

/**
 * Opens a metadata file: `{"signed": {"_type", "version", "expires", …}, "signatures": […]}`.
 * @throws MetadataError METADATA_INVALID, or METADATA_MISMATCH when it is a file of another type: all are signed with
 * keys of one publisher, so a snapshot must not be taken for a timestamp.
 */
export function openEnvelope(bytes: Uint8Array, type: MetadataType, where: string): Envelope {
  const document = new Fields(parseStrictJson(bytes, METADATA_LIMIT, where), where, ['signed', 'signatures']);
  const body = document.object('signed');
  const fields = new Fields(body, where, ['_type', 'version', 'expires']);
  const found = fields.text('_type');
  if (found !== type) {
    throw new MetadataError('METADATA_MISMATCH', `${where}: expected metadata of type ${type}, got ${echo(found)}`);
  }
  return {
    body,
    // Re-encoded, as Notary does, not the slice as it came: what is verified is then what was parsed.
    message: canonicalJson(body),
    signatures: document
      .list('signatures', SIGNATURE_LIMIT)
      .map((value) => parseSignature(value, `${where} signature`)),
    version: fields.integer('version', 1),
    expires: parseExpiry(fields.text('expires'), where),
  };
}

/** @throws MetadataError METADATA_EXPIRED. The moment itself is too late. */
export function requireUnexpired(expires: Date, now: Date, where: string): void {
  if (now >= expires) {
    throw new MetadataError('METADATA_EXPIRED', `${where} expired ${expires.toISOString()}`);
  }
}
