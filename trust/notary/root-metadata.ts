import { Fields } from '../metadata/fields.ts';
import { malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { type Envelope, openEnvelope } from './envelope.ts';
import { type Key, parseKey } from './key.ts';
import { KEY_LIMIT } from './metadata-limits.ts';
import { BASE_ROLES, type BaseRole } from './role-name.ts';
import type { RoleKeys } from './signature.ts';

/** Which keys sign which of the four base roles. */
export interface RootMetadata extends Envelope {
  readonly roles: Readonly<Record<BaseRole, RoleKeys>>;
}

/** @throws MetadataError METADATA_INVALID, METADATA_MISMATCH */
export function parseRoot(bytes: Uint8Array): RootMetadata {
  const envelope = openEnvelope(bytes, 'Root', 'root');
  const fields = new Fields(envelope.body, 'root', ['keys', 'roles']);
  const keys = parseKeys(fields, 'root');
  const roles = new Fields(fields.value('roles'), 'root.roles', BASE_ROLES);
  const [root, targets, snapshot, timestamp] = BASE_ROLES.map((role) =>
    parseRoleKeys(roles.value(role), keys, `root.roles.${role}`),
  ) as [RoleKeys, RoleKeys, RoleKeys, RoleKeys];
  return { ...envelope, roles: { root, targets, snapshot, timestamp } };
}

/** The member `keys`: each under its own ID. @throws MetadataError METADATA_INVALID */
export function parseKeys(fields: Fields, where: string): ReadonlyMap<string, Key> {
  return new Map(fields.entries('keys', KEY_LIMIT).map(([id, value]) => [id, parseKey(id, value, `${where} key`)]));
}

/** `{"keyids": […], "threshold": n}`. @throws MetadataError METADATA_INVALID when the role is missing or names an unknown key. */
export function parseRoleKeys(value: Json | undefined, keys: ReadonlyMap<string, Key>, where: string): RoleKeys {
  const fields = new Fields(value, where, ['keyids', 'threshold']);
  const ids = new Set(fields.texts('keyids', KEY_LIMIT));
  const listed = [...ids].map((id) => {
    const key = keys.get(id);
    if (key === undefined) throw malformed(where, 'key IDs that are in keys', id.slice(0, 64));
    return key;
  });
  // A threshold of 0 would be met by no signature at all.
  return { keys: listed, threshold: fields.integer('threshold', 1) };
}
