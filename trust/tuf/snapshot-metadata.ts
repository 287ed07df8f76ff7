import { Fields } from '../metadata/fields.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { echo, MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import type { Dated, Envelope } from './envelope.ts';
import { ROLE_LIMIT } from './metadata-limits.ts';

/** What one piece of metadata says of another: TUF specification 4.4, "METAFILES". */
export interface FileMeta {
  readonly version: number;
  readonly length: number | undefined;
  /** Hex. */
  readonly sha256: string | undefined;
  readonly sha512: string | undefined;
}

export interface TimestampMetadata extends Dated {
  readonly snapshot: FileMeta;
}

export interface SnapshotMetadata extends Dated {
  /** By role: `targets` and every delegated one. */
  readonly roles: ReadonlyMap<string, FileMeta>;
}

const SUFFIX = '.json';

/** @throws MetadataError METADATA_INVALID */
export function parseTimestamp({ fields, version, expires }: Envelope): TimestampMetadata {
  const meta = new Map(fields.entries('meta', 1)).get(`snapshot${SUFFIX}`);
  if (meta === undefined) throw malformed('timestamp', 'snapshot.json in meta', 'none');
  return { version, expires, snapshot: parseFileMeta(meta, 'timestamp.meta') };
}

/** @throws MetadataError METADATA_INVALID */
export function parseSnapshot({ fields, version, expires }: Envelope): SnapshotMetadata {
  const roles = new Map<string, FileMeta>();
  // `targets` beside the delegated ones; some repositories list the root too.
  for (const [file, value] of fields.entries('meta', ROLE_LIMIT + 2)) {
    if (!file.endsWith(SUFFIX)) throw malformed('snapshot', 'names of files that end in .json', echo(file));
    roles.set(file.slice(0, -SUFFIX.length), parseFileMeta(value, 'snapshot.meta'));
  }
  if (!roles.has('targets')) throw malformed('snapshot', 'targets.json in meta', 'none');
  return { version, expires, roles };
}

function parseFileMeta(value: Json, where: string): FileMeta {
  const fields = new Fields(value, where, ['version', 'length', 'hashes']);
  const hashes = hashesOf(fields, where);
  return {
    version: fields.integer('version', 1),
    length: fields.value('length') === undefined ? undefined : fields.integer('length', 1),
    ...hashes,
  };
}

/** A few kinds more than there are today. */
const HASH_LIMIT = 16;

/** The hashes that can be checked here; others are left alone, and prove nothing. @throws MetadataError METADATA_INVALID */
export function hashesOf(fields: Fields, where: string): Pick<FileMeta, 'sha256' | 'sha512'> {
  const hashes = new Map(fields.entries('hashes', HASH_LIMIT));
  return {
    sha256: hexOf(hashes.get('sha256'), 64, `${where}.sha256`),
    sha512: hexOf(hashes.get('sha512'), 128, `${where}.sha512`),
  };
}

function hexOf(value: Json | undefined, length: number, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length !== length || !/^[0-9a-f]+$/.test(value)) {
    throw malformed(where, `${length} hex digits in lower case`, 'something else');
  }
  return value;
}

/** @throws MetadataError METADATA_MISMATCH unless these are the bytes, as far as length and hashes are given */
export function requireMatch(bytes: Uint8Array, meta: FileMeta, where: string): void {
  const mismatch = mismatchOf(bytes, meta);
  if (mismatch === undefined) return;
  throw new MetadataError('METADATA_MISMATCH', `${where} is not the file that was signed for: expected ${mismatch}`);
}

export function mismatchOf(bytes: Uint8Array, { length, sha256, sha512 }: FileMeta): string | undefined {
  if (length !== undefined && length !== bytes.byteLength) return `${length} bytes, got ${bytes.byteLength}`;
  for (const [algorithm, expected] of [
    ['sha256', sha256],
    ['sha512', sha512],
  ] as const) {
    if (expected === undefined) continue;
    const got = hexDigest(algorithm, bytes);
    if (got !== expected) return `${algorithm} ${expected}, got ${got}`;
  }
  return undefined;
}
