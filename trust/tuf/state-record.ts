import { parseExpiry } from '../metadata/expiry.ts';
import { Fields } from '../metadata/fields.ts';
import type { Json } from '../metadata/strict-json.ts';
import { parseFileName, seal, unseal } from '../state/sealed-record.ts';
import type { Floor, Floors } from './floors.ts';
import { KEY_LIMIT, ROLE_LIMIT, ROOT_CHAIN_LIMIT } from './metadata-limits.ts';

/** What is remembered of a repository: the files, by their SHA-256 in hex, that it is put together from. */
export interface StateRecord {
  /** One more with each record written. */
  readonly generation: number;
  readonly refreshedAt: Date;
  /** The oldest root first. */
  readonly roots: readonly string[];
  readonly timestamp: string;
  readonly snapshot: string;
  readonly targets: string;
  readonly roles: ReadonlyMap<string, string>;
  readonly seen: Seen;
}

/** What must not be forgotten even where the metadata is. */
export interface Seen {
  readonly floors: Floors;
  /** Of every root there was, SHA-256 in hex of what was signed: which repository it is that was seen. */
  readonly lineage: readonly string[];
  /** When the timestamp that is trusted was first seen. */
  readonly renewedAt: Date;
}

/** Kept outside the folder of the state: with it, a state that is older than the last one relied on does not pass for the last. */
export interface FloorsRecord {
  /** Of the last state relied on; 0 before the first. */
  readonly generation: number;
  /** SHA-256 in hex of its record; none before the first. */
  readonly state: string | undefined;
  /** Before the first state: none, or no more than roots. */
  readonly seen: Seen | undefined;
}

const STATE = 'the state';
const FLOORS = 'the record of versions';

export function encodeState({ refreshedAt, roles, seen, ...rest }: StateRecord): Buffer {
  return seal({ ...rest, refreshedAt: refreshedAt.toISOString(), roles: Object.fromEntries(roles), ...seenOut(seen) });
}

/** @throws MetadataError METADATA_INVALID: truncated, changed, or of another format */
export function decodeState(bytes: Uint8Array): StateRecord {
  const names = [
    'generation',
    'refreshedAt',
    'roots',
    'timestamp',
    'snapshot',
    'targets',
    'roles',
    'floors',
    'lineage',
    'renewedAt',
  ];
  const fields = unseal(bytes, STATE, names);
  const file = (name: string) => parseFileName(fields.text(name), STATE);
  return {
    generation: fields.integer('generation', 1),
    refreshedAt: parseExpiry(fields.text('refreshedAt'), STATE),
    roots: fields.texts('roots', ROOT_CHAIN_LIMIT).map((name) => parseFileName(name, STATE)),
    timestamp: file('timestamp'),
    snapshot: file('snapshot'),
    targets: file('targets'),
    roles: new Map(
      fields.entries('roles', ROLE_LIMIT).map(([role, name]) => [role, parseFileName(String(name), STATE)]),
    ),
    seen: seenIn(fields, STATE),
  };
}

export function encodeFloors({ generation, state, seen }: FloorsRecord): Buffer {
  return seal({ generation, ...(state === undefined ? {} : { state }), ...(seen === undefined ? {} : seenOut(seen)) });
}

/** @throws MetadataError METADATA_INVALID */
export function decodeFloors(bytes: Uint8Array): FloorsRecord {
  const fields = unseal(bytes, FLOORS, ['generation', 'state', 'floors', 'lineage', 'renewedAt']);
  const generation = fields.integer('generation', 0);
  const seen = fields.value('floors') === undefined ? undefined : seenIn(fields, FLOORS);
  return { generation, state: generation === 0 ? undefined : parseFileName(fields.text('state'), FLOORS), seen };
}

export function encodeRefreshed(refreshedAt: Date): Buffer {
  return seal({ refreshedAt: refreshedAt.toISOString() });
}

/** @throws MetadataError METADATA_INVALID */
export function decodeRefreshed(bytes: Uint8Array): Date {
  const where = 'the time of refresh';
  return parseExpiry(unseal(bytes, where, ['refreshedAt']).text('refreshedAt'), where);
}

function seenOut({ floors, lineage, renewedAt }: Seen) {
  return { lineage, renewedAt: renewedAt.toISOString(), floors: Object.fromEntries(floors) };
}

function seenIn(fields: Fields, where: string): Seen {
  return {
    renewedAt: parseExpiry(fields.text('renewedAt'), where),
    lineage: fields.texts('lineage', ROOT_CHAIN_LIMIT).map((hash) => parseFileName(hash, where)),
    floors: new Map(fields.entries('floors', 2 * ROLE_LIMIT).map(([role, value]) => [role, decodeFloor(value, where)])),
  };
}

function decodeFloor(value: Json, where: string): Floor {
  const fields = new Fields(value, where, ['version', 'signedHash', 'keys']);
  return {
    version: fields.integer('version', 1),
    signedHash: parseFileName(fields.text('signedHash'), where),
    keys: fields.texts('keys', KEY_LIMIT),
  };
}
