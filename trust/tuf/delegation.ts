import { createHash } from 'node:crypto';
import { Fields } from '../metadata/fields.ts';
import { echo, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import type { Key } from './key.ts';
import { PATTERN_LIMIT, ROLE_LIMIT, ROLE_NAME_LIMIT } from './metadata-limits.ts';
import { matchesPattern, type PathPattern, parsePathPattern } from './path-pattern.ts';
import { TOP_ROLES } from './root-chain.ts';
import { parseKeys, parseRoleKeys, type RoleKeys } from './signature.ts';

/** One role that a targets role hands on to. */
export interface Delegation extends RoleKeys {
  readonly name: string;
  /** What it covers is not looked for anywhere else. */
  readonly terminating: boolean;
  readonly paths: readonly PathPattern[];
  /** Of the SHA-256 of a path, in hex. */
  readonly hashPrefixes: readonly string[];
}

/** TAP 15: 2^bits roles that share all paths by their hashes, all with the same keys, each terminating. */
export interface HashBins extends RoleKeys {
  readonly prefix: string;
  readonly bits: number;
}

export type Delegations =
  | { readonly kind: 'roles'; readonly roles: readonly Delegation[] }
  | { readonly kind: 'bins'; readonly bins: HashBins };

/** A path as patterns and hash prefixes look at it, taken apart once. */
export interface TargetPath {
  readonly text: string;
  readonly parts: readonly string[];
  readonly hash: Buffer;
}

export interface Child {
  readonly name: string;
  readonly terminating: boolean;
}

/** 2^14 roles: more would not fit a snapshot. */
const BITS_LIMIT = 14;

const CONTROL = /\p{Cc}/u;

export function targetPath(text: string): TargetPath {
  return { text, parts: text.split('/'), hash: createHash('sha256').update(text).digest() };
}

/** @throws MetadataError METADATA_INVALID */
export function parseDelegations(value: Json | undefined, where: string): Delegations | undefined {
  if (value === undefined) return undefined;
  const fields = new Fields(value, where, ['keys', 'roles', 'succinct_roles']);
  const keys = parseKeys(fields, where);
  const bins = fields.value('succinct_roles');
  if (bins === undefined) {
    const roles = fields.list('roles', ROLE_LIMIT).map((role) => parseDelegation(role, keys, where));
    if (new Set(roles.map(({ name }) => name)).size !== roles.length)
      throw malformed(where, 'each role once', 'one twice');
    return { kind: 'roles', roles };
  }
  // Clients would differ in which of the two they follow.
  if (fields.value('roles') !== undefined) throw malformed(where, 'roles or succinct_roles', 'both');
  return { kind: 'bins', bins: parseBins(bins, keys, where) };
}

function parseDelegation(value: Json, keys: ReadonlyMap<string, Key>, where: string): Delegation {
  const fields = new Fields(value, where, [
    'name',
    'keyids',
    'threshold',
    'terminating',
    'paths',
    'path_hash_prefixes',
  ]);
  const name = parseRoleName(fields.text('name'), where);
  const terminating = fields.value('terminating');
  if (typeof terminating !== 'boolean') throw malformed(where, `terminating of ${echo(name)} as true or false`, 'none');
  const written = [fields.value('paths'), fields.value('path_hash_prefixes')].filter((list) => list !== undefined);
  if (written.length !== 1)
    throw malformed(where, `either paths or path_hash_prefixes of ${echo(name)}`, 'both or none');
  const prefixes = fields.texts('path_hash_prefixes', PATTERN_LIMIT);
  if (!prefixes.every((prefix) => /^[0-9a-f]{1,64}$/.test(prefix)))
    throw malformed(where, 'hash prefixes in hex', 'others');
  return {
    ...parseRoleKeys(value, keys, where),
    name,
    terminating,
    paths: fields.texts('paths', PATTERN_LIMIT).map((pattern) => parsePathPattern(pattern, where)),
    hashPrefixes: prefixes,
  };
}

function parseBins(value: Json, keys: ReadonlyMap<string, Key>, where: string): HashBins {
  const fields = new Fields(value, where, ['keyids', 'threshold', 'bit_length', 'name_prefix']);
  const bits = fields.integer('bit_length', 1);
  if (bits > BITS_LIMIT) throw malformed(where, `a bit_length of at most ${BITS_LIMIT}`, String(bits));
  return { ...parseRoleKeys(value, keys, where), prefix: parseRoleName(fields.text('name_prefix'), where), bits };
}

function parseRoleName(name: string, where: string): string {
  if (name === '' || name.length > ROLE_NAME_LIMIT || CONTROL.test(name))
    throw malformed(where, 'the name of a role', echo(name));
  if ((TOP_ROLES as readonly string[]).includes(name))
    throw malformed(where, 'a name that no top role has', echo(name));
  return name;
}

/** Roles that may speak of a path, the first before the others. */
export function childrenFor(delegations: Delegations, path: TargetPath): readonly Child[] {
  if (delegations.kind === 'bins') return [{ name: binFor(delegations.bins, path), terminating: true }];
  const hash = path.hash.toString('hex');
  return delegations.roles.filter(
    ({ paths, hashPrefixes }) =>
      paths.some((pattern) => matchesPattern(pattern, path.parts)) ||
      hashPrefixes.some((prefix) => hash.startsWith(prefix)),
  );
}

/** All roles handed on to, with who may sign each. */
export function* rolesOf(delegations: Delegations): Generator<RoleKeys & { readonly name: string }> {
  if (delegations.kind === 'roles') yield* delegations.roles;
  else {
    const { bins } = delegations;
    for (let at = 0; at < 2 ** bins.bits; at += 1) {
      yield { name: binName(bins, at), keys: bins.keys, threshold: bins.threshold };
    }
  }
}

function binFor(bins: HashBins, { hash }: TargetPath): string {
  return binName(bins, hash.readUInt32BE() >>> (32 - bins.bits));
}

function binName({ prefix, bits }: HashBins, at: number): string {
  const digits = (2 ** bits - 1).toString(16).length;
  return `${prefix}-${at.toString(16).padStart(digits, '0')}`;
}
