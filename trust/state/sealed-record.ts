import { Fields } from '../metadata/fields.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { malformed } from '../metadata/metadata-error.ts';
import { parseStrictJson } from '../metadata/strict-json.ts';

/** The layout of every record. A later one is refused by this program rather than half understood. */
const FORMAT = 1;

/** Bytes: names, versions and hashes of more roles than any repository may have. */
const RECORD_LIMIT = 16 * 1024 * 1024;

const SHA256 = /^[0-9a-f]{64}$/;
const SHA256_LENGTH = 64;

/** The checksum first, so that a record cut anywhere does not have it right. */
export function seal(value: object): Buffer {
  const body = Buffer.from(`${JSON.stringify({ format: FORMAT, ...value })}\n`);
  return Buffer.concat([Buffer.from(`${hexDigest('sha256', body)}\n`), body]);
}

/**
 * @param names the members that the record has
 * @throws MetadataError METADATA_INVALID: truncated, changed, or of another format
 */
export function unseal(bytes: Uint8Array, where: string, names: readonly string[]): Fields {
  const sum = Buffer.from(bytes.subarray(0, SHA256_LENGTH)).toString('latin1');
  const body = bytes.subarray(SHA256_LENGTH + 1);
  if (hexDigest('sha256', body) !== sum) throw malformed(where, 'the bytes that were written', 'others');
  const fields = new Fields(parseStrictJson(body, RECORD_LIMIT, where), where, ['format', ...names]);
  const format = fields.integer('format', 1);
  if (format !== FORMAT) throw malformed(where, `format ${FORMAT}`, String(format));
  return fields;
}

/** The name of a stored file: the SHA-256 of its bytes. @throws MetadataError METADATA_INVALID */
export function parseFileName(text: string, where: string): string {
  if (!SHA256.test(text)) throw malformed(where, 'a SHA-256 in hex', text.slice(0, SHA256_LENGTH));
  return text;
}
