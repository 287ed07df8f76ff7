import { Fields } from '../trust/metadata/fields.ts';
import { parseExpiry } from '../trust/metadata/expiry.ts';
import type { Json, JsonObject } from '../trust/metadata/strict-json.ts';
import { type KeyId, type PublicKey, parseKey } from './key.ts';
import {
  type Delegation,
  type Delegations,
  checkRoleName,
  type Metadata,
  type MetaFile,
  momentText,
  NO_DELEGATIONS,
  type RoleKeys,
  type Root,
  SPEC_VERSION,
  sha256Digest,
  type Snapshot,
  type Target,
  type Targets,
  type Timestamp,
  TOP_ROLES,
  targetJson,
} from './metadata.ts';
import { echo, PublishError } from './publish-error.ts';

/** Far beyond what one file should list; bounds what a tampered folder can make us read. */
const ENTRY_LIMIT = 1_000_000;
const KEY_LIMIT = 1000;

/** The signed part of a file. */
export function metadataJson(metadata: Metadata): JsonObject {
  const { type, version, expires } = metadata;
  const common = { _type: type, spec_version: SPEC_VERSION, version, expires: momentText(expires) };
  switch (metadata.type) {
    case 'root':
      return { ...common, consistent_snapshot: true, keys: keysJson(metadata.keys), roles: topRolesJson(metadata) };
    case 'snapshot':
      return {
        ...common,
        meta: byName([...metadata.meta].map(([role, file]) => [`${role}.json`, metaFileJson(file)])),
      };
    case 'timestamp':
      return { ...common, meta: { 'snapshot.json': metaFileJson(metadata.snapshot) } };
    case 'targets': {
      const targets = byName([...metadata.targets].map(([path, target]) => [path, targetJson(target)]));
      const { delegations } = metadata;
      const delegating = delegations.roles.length > 0 ? { delegations: delegationsJson(delegations) } : {};
      return { ...common, targets, ...delegating };
    }
  }
}

/**
 * Reads the signed part of a file of this type. A member that it does not know is an error: what is not understood is not
 * signed again.
 */
export function parseMetadata(body: JsonObject, type: Metadata['type'], where: string): Metadata {
  const fields = exactly(body, where, ['_type', 'spec_version', 'version', 'expires', ...MEMBERS[type]]);
  if (fields.text('_type') !== type) {
    throw new PublishError(`${where}: expected metadata of type ${type}, got ${echo(fields.text('_type'))}`);
  }
  if (!/^1\.\d+(?:\.\d+)?$/.test(fields.text('spec_version'))) {
    throw new PublishError(`${where}: expected TUF 1.x, got ${echo(fields.text('spec_version'))}`);
  }
  const common = { version: fields.integer('version', 1), expires: parseExpiry(fields.text('expires'), where) };
  switch (type) {
    case 'root':
      return { type, ...common, ...rootMembers(fields, where) };
    case 'snapshot':
      return { type, ...common, meta: snapshotMembers(fields, where) };
    case 'timestamp':
      return {
        type,
        ...common,
        snapshot: parseMetaFile(exactly(fields.object('meta'), where, ['snapshot.json']).value('snapshot.json'), where),
      };
    case 'targets':
      return { type, ...common, ...targetsMembers(fields, where) };
  }
}

const MEMBERS: Readonly<Record<Metadata['type'], readonly string[]>> = {
  root: ['consistent_snapshot', 'keys', 'roles'],
  snapshot: ['meta'],
  timestamp: ['meta'],
  targets: ['targets', 'delegations'],
};

function rootMembers(fields: Fields, where: string): Pick<Root, 'keys' | 'roles'> {
  if (fields.value('consistent_snapshot') !== true) {
    throw new PublishError(`${where}: expected consistent_snapshot: true, as docklock tuf init writes it`);
  }
  const keys = parseKeys(fields, where);
  const roles = exactly(fields.object('roles'), where, TOP_ROLES);
  const of = (role: (typeof TOP_ROLES)[number]) =>
    parseRoleKeys(
      exactly(roles.value(role), `${where} role ${role}`, ['keyids', 'threshold']),
      keys,
      `${where} role ${role}`,
    );
  return {
    keys,
    roles: { root: of('root'), targets: of('targets'), snapshot: of('snapshot'), timestamp: of('timestamp') },
  };
}

function snapshotMembers(fields: Fields, where: string): Snapshot['meta'] {
  return new Map(
    fields.entries('meta', ENTRY_LIMIT).map(([name, value]) => {
      const role = /^(.+)\.json$/.exec(name)?.[1] ?? '';
      return [role === 'targets' ? role : checkRoleName(role), parseMetaFile(value, `${where} ${echo(name)}`)];
    }),
  );
}

function targetsMembers(fields: Fields, where: string): Pick<Targets, 'targets' | 'delegations'> {
  const targets = new Map(
    fields.entries('targets', ENTRY_LIMIT).map(([path, value]) => [path, parseTarget(value, `${where} ${echo(path)}`)]),
  );
  const written = fields.value('delegations');
  return { targets, delegations: written === undefined ? NO_DELEGATIONS : parseDelegations(written, where) };
}

function parseDelegations(value: Json, where: string): Delegations {
  const fields = exactly(value, `${where} delegations`, ['keys', 'roles']);
  const keys = parseKeys(fields, where);
  const roles = fields.list('roles', ENTRY_LIMIT).map((role): Delegation => {
    const members = exactly(role, `${where} delegation`, ['name', 'keyids', 'threshold', 'paths', 'terminating']);
    const name = checkRoleName(members.text('name'));
    return {
      name,
      ...parseRoleKeys(members, keys, `${where} delegation ${name}`),
      paths: members.texts('paths', KEY_LIMIT),
      terminating: members.value('terminating') === true,
    };
  });
  if (new Set(roles.map(({ name }) => name)).size < roles.length) {
    throw new PublishError(`${where}: expected each delegation once, got one twice`);
  }
  return { keys, roles };
}

function parseKeys(fields: Fields, where: string): ReadonlyMap<KeyId, PublicKey> {
  const keys = fields.entries('keys', KEY_LIMIT).map(([id, value]) => parseKey(id, value, `${where} key`));
  return new Map(keys.map((key) => [key.id, key]));
}

function parseRoleKeys(fields: Fields, keys: ReadonlyMap<KeyId, PublicKey>, where: string): RoleKeys {
  const keyIds = fields.texts('keyids', KEY_LIMIT) as readonly KeyId[];
  const threshold = fields.integer('threshold', 1);
  const unknown = keyIds.find((id) => !keys.has(id));
  if (unknown !== undefined)
    throw new PublishError(`${where}: expected its keys to be listed, ${echo(unknown)} is not`);
  if (new Set(keyIds).size < keyIds.length) throw new PublishError(`${where}: expected each key once, got one twice`);
  if (threshold > keyIds.length) {
    throw new PublishError(
      `${where}: expected a threshold of at most ${keyIds.length}, its number of keys, got ${threshold}`,
    );
  }
  return { keyIds, threshold };
}

function parseMetaFile(value: Json | undefined, where: string): MetaFile {
  const fields = exactly(value, where, ['version', 'length', 'hashes']);
  const sha256 = sha256Of(fields, where);
  return { version: fields.integer('version', 1), length: fields.integer('length', 1), sha256 };
}

function parseTarget(value: Json, where: string): Target {
  const fields = exactly(value, where, ['length', 'hashes', 'custom']);
  const digest = sha256Digest(sha256Of(fields, where));
  const custom = fields.value('custom') === undefined ? {} : { custom: fields.object('custom') };
  return { length: fields.integer('length', 0), digest, ...custom };
}

function sha256Of(fields: Fields, where: string): string {
  return sha256Digest(exactly(fields.object('hashes'), where, ['sha256']).text('sha256')).slice('sha256:'.length);
}

function exactly(value: Json | undefined, where: string, names: readonly string[]): Fields {
  const fields = new Fields(value, where, names);
  const strange = Object.keys(value as JsonObject).find((name) => !names.includes(name));
  if (strange !== undefined) {
    throw new PublishError(
      `${where}: ${echo(strange)} is nothing this version of docklock writes, so it will not sign over it`,
    );
  }
  return fields;
}

function keysJson(keys: ReadonlyMap<KeyId, PublicKey>): JsonObject {
  return byName([...keys].map(([id, { json }]) => [id, json]));
}

function roleKeysJson({ keyIds, threshold }: RoleKeys) {
  return { keyids: [...keyIds], threshold };
}

function topRolesJson({ roles }: Root): JsonObject {
  return byName(TOP_ROLES.map((role) => [role, roleKeysJson(roles[role])]));
}

function metaFileJson({ version, length, sha256 }: MetaFile): JsonObject {
  return { version, length, hashes: { sha256 } };
}

function delegationsJson({ keys, roles }: Delegations): JsonObject {
  const written = roles.map(({ name, paths, terminating, ...role }) => ({
    name,
    ...roleKeysJson(role),
    paths: [...paths],
    terminating,
  }));
  return { keys: keysJson(keys), roles: written };
}

/** Without a prototype, so that no name in it is more than a name. */
function byName(entries: readonly (readonly [string, Json])[]): JsonObject {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

export type Parsed<Type extends Metadata['type']> = Extract<Root | Targets | Snapshot | Timestamp, { type: Type }>;
