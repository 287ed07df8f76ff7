import { Fields } from '../metadata/fields.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { parseBase64 } from './base64.ts';

/** Length in bytes and hashes, in hex, of a file: how one piece of metadata names another, or an image. */
export interface FileMeta {
  readonly length: number;
  readonly sha256: string | undefined;
  readonly sha512: string | undefined;
}

/** As FileMeta, of a metadata file: fetched by its SHA-256, which therefore must be there. */
export interface MetadataFileMeta extends FileMeta {
  readonly sha256: string;
}

const SHA256_SIZE = 32;
const SHA512_SIZE = 64;

/** Notary knows two; a few more may come. */
const HASH_LIMIT = 16;

/** @throws MetadataError METADATA_INVALID. Hashes of other kinds are left alone. */
export function parseFileMeta(value: Json, where: string): FileMeta {
  const fields = new Fields(value, where, ['length', 'hashes']);
  const hashes = new Map(fields.entries('hashes', HASH_LIMIT));
  return {
    length: fields.integer('length', 0),
    sha256: hexOf(hashes.get('sha256'), SHA256_SIZE, `${where}.sha256`),
    sha512: hexOf(hashes.get('sha512'), SHA512_SIZE, `${where}.sha512`),
  };
}

/** @throws MetadataError METADATA_INVALID, also when there is no SHA-256. */
export function parseMetadataFileMeta(value: Json, where: string): MetadataFileMeta {
  const meta = parseFileMeta(value, where);
  if (meta.sha256 === undefined) throw malformed(where, 'a sha256 hash', 'none');
  return { ...meta, sha256: meta.sha256 };
}

/** @throws MetadataError METADATA_MISMATCH unless these are the bytes: every hash given, and the length. */
export function requireMatch(bytes: Uint8Array, meta: MetadataFileMeta, where: string): void {
  const mismatch =
    bytes.byteLength !== meta.length
      ? `${meta.length} bytes, got ${bytes.byteLength}`
      : hexDigest('sha256', bytes) !== meta.sha256
        ? `sha256 ${meta.sha256}, got ${hexDigest('sha256', bytes)}`
        : meta.sha512 !== undefined && hexDigest('sha512', bytes) !== meta.sha512
          ? `sha512 ${meta.sha512}, got ${hexDigest('sha512', bytes)}`
          : undefined;
  if (mismatch !== undefined) {
    throw new MetadataError('METADATA_MISMATCH', `${where} is not the file that was signed for: expected ${mismatch}`);
  }
}

function hexOf(value: Json | undefined, size: number, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw malformed(where, 'a hash in base64', typeof value);
  const hash = parseBase64(value, where);
  if (hash.byteLength !== size) throw malformed(where, `${size} bytes`, String(hash.byteLength));
  return hash.toString('hex');
}
