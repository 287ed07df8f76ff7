import { Fields } from '../metadata/fields.ts';
import { echo, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { type Envelope, openEnvelope } from './envelope.ts';
import { type FileMeta, parseFileMeta } from './file-meta.ts';
import type { Key } from './key.ts';
import { DELEGATION_DEPTH_LIMIT, ROLE_LIMIT, TARGET_LIMIT } from './metadata-limits.ts';
import { type DelegationName, parentOf, parseDelegationName, type TargetsName } from './role-name.ts';
import { parseKeys, parseRoleKeys } from './root-metadata.ts';
import type { RoleKeys } from './signature.ts';

/** A role that was given a part of its parent's say. */
export interface Delegation extends RoleKeys {
  readonly name: DelegationName;
  /** Prefixes of the tags it may sign; `""` is all of them. */
  readonly paths: readonly string[];
}

/** Tags and what they mean; and who else may say so. */
export interface TargetsMetadata extends Envelope {
  readonly targets: ReadonlyMap<string, FileMeta>;
  readonly delegations: readonly Delegation[];
}

/** Prefixes of a delegation; real ones have one, or a handful. */
const PATH_LIMIT = 1000;

/** @throws MetadataError METADATA_INVALID, METADATA_MISMATCH */
export function parseTargets(bytes: Uint8Array, name: TargetsName): TargetsMetadata {
  const envelope = openEnvelope(bytes, 'Targets', name);
  const fields = new Fields(envelope.body, name, ['targets', 'delegations']);
  const targets = fields
    .entries('targets', TARGET_LIMIT)
    .map(([tag, value]) => [tag, parseFileMeta(value, `${name}, target ${echo(tag)}`)] as const);
  return { ...envelope, targets: new Map(targets), delegations: parseDelegations(fields.value('delegations'), name) };
}

function parseDelegations(value: Json | undefined, parent: TargetsName): readonly Delegation[] {
  if (value === undefined || value === null) return [];
  const fields = new Fields(value, `${parent}.delegations`, ['keys', 'roles']);
  const keys = parseKeys(fields, `${parent}.delegations`);
  const roles = fields.list('roles', ROLE_LIMIT).map((role) => parseDelegation(role, keys, parent));
  const names = new Set(roles.map(({ name }) => name));
  // Which of the two key sets counts would depend on the reader.
  if (names.size !== roles.length) throw malformed(`${parent}.delegations`, 'each role once', 'one twice');
  return roles;
}

function parseDelegation(value: Json, keys: ReadonlyMap<string, Key>, parent: TargetsName): Delegation {
  const where = `${parent}.delegations`;
  const fields = new Fields(value, where, ['name', 'paths', 'keyids', 'threshold']);
  const name = parseDelegationName(fields.text('name'), where);
  // A role only ever speaks of roles right below it: it could otherwise replace the keys of a brother, or of itself.
  if (parentOf(name) !== parent) throw malformed(where, `roles directly below ${parent}`, name);
  if (name.split('/').length - 1 > DELEGATION_DEPTH_LIMIT) {
    throw malformed(where, `delegations at most ${DELEGATION_DEPTH_LIMIT} deep`, name);
  }
  return { name, paths: fields.texts('paths', PATH_LIMIT), ...parseRoleKeys(value, keys, `${where}.${name}`) };
}
