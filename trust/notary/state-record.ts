import { parseExpiry } from '../metadata/expiry.ts';
import { Fields } from '../metadata/fields.ts';
import { malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { parseFileName, seal, unseal } from '../state/sealed-record.ts';
import { ROLE_LIMIT } from './metadata-limits.ts';
import { BASE_ROLES, isDelegationName, type RoleName } from './role-name.ts';
import type { Floor, Floors } from './version-floor.ts';

/**
 * What is remembered of a repository: which files, named by their SHA-256, it is put together from, and the highest
 * versions relied on.
 */
export interface StateRecord {
  readonly gun: string;
  /** One more with each record written. */
  readonly generation: number;
  readonly refreshedAt: Date;
  /** SHA-256 in hex, the oldest root first. */
  readonly roots: readonly string[];
  /** SHA-256 in hex of every file, the roots too. */
  readonly files: readonly string[];
  readonly timestamp: string;
  readonly floors: Floors;
}

/**
 * Written after each state, in a file of its own: with it, a state that is older than the last one relied on does not
 * pass for the last.
 */
export interface GenerationRecord {
  readonly generation: number;
  /** SHA-256 in hex of the state record. */
  readonly state: string;
}

/** Roots of a lifetime of rotations. */
const ROOTS_LIMIT = 10_000;

export function encodeState(record: StateRecord): Buffer {
  return seal({
    ...record,
    refreshedAt: record.refreshedAt.toISOString(),
    floors: Object.fromEntries(record.floors),
  });
}

/** @throws MetadataError METADATA_INVALID: truncated, changed, or of another format. */
export function decodeState(bytes: Uint8Array): StateRecord {
  const fields = unseal(bytes, 'the state', [
    'gun',
    'generation',
    'refreshedAt',
    'roots',
    'files',
    'timestamp',
    'floors',
  ]);
  return {
    gun: fields.text('gun'),
    generation: fields.integer('generation', 1),
    refreshedAt: parseExpiry(fields.text('refreshedAt'), 'the state'),
    roots: fields.texts('roots', ROOTS_LIMIT).map(fileName),
    files: fields.texts('files', ROOTS_LIMIT + ROLE_LIMIT + BASE_ROLES.length).map(fileName),
    timestamp: fileName(fields.text('timestamp')),
    floors: new Map(fields.entries('floors', 2 * ROLE_LIMIT).map(decodeFloor)),
  };
}

export function encodeGeneration(record: GenerationRecord): Buffer {
  return seal({ ...record });
}

/** @throws MetadataError METADATA_INVALID */
export function decodeGeneration(bytes: Uint8Array): GenerationRecord {
  const fields = unseal(bytes, 'the generation', ['generation', 'state']);
  return { generation: fields.integer('generation', 1), state: fileName(fields.text('state')) };
}

export function encodeRefreshed(refreshedAt: Date): Buffer {
  return seal({ refreshedAt: refreshedAt.toISOString() });
}

/** @throws MetadataError METADATA_INVALID */
export function decodeRefreshed(bytes: Uint8Array): Date {
  const fields = unseal(bytes, 'the time of refresh', ['refreshedAt']);
  return parseExpiry(fields.text('refreshedAt'), 'the time of refresh');
}

function decodeFloor([role, value]: readonly [string, Json]): [RoleName, Floor] {
  if (!isRoleName(role)) throw malformed('the state', 'names of roles', role);
  const fields = new Fields(value, 'the state', ['version', 'sha256']);
  return [role, { version: fields.integer('version', 1), sha256: fileName(fields.text('sha256')) }];
}

function isRoleName(text: string): text is RoleName {
  return (BASE_ROLES as readonly string[]).includes(text) || isDelegationName(text);
}

function fileName(text: string): string {
  return parseFileName(text, 'the state');
}
