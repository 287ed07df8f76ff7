import { parseDigest, type Digest, hexOf } from '../oci/digest.ts';
import type { Json, JsonObject } from '../trust/metadata/strict-json.ts';
import type { KeyId, PublicKey } from './key.ts';
import { echo, PublishError } from './publish-error.ts';

/** The version of the TUF specification that is written. */
export const SPEC_VERSION = '1.0.31';

export const TOP_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** `targets` or a role that it delegates to. */
export type TargetsRole = string;

/** Who may sign a role, and how many of them it takes. */
export interface RoleKeys {
  readonly keyIds: readonly KeyId[];
  readonly threshold: number;
}

interface Common {
  readonly version: number;
  readonly expires: Date;
}

/** TUF 1.0, "4.3. File formats: root.json". */
export interface Root extends Common {
  readonly type: 'root';
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
}

/** TUF 1.0, "4.4. File formats: snapshot.json". */
export interface Snapshot extends Common {
  readonly type: 'snapshot';
  /** By role, `targets` and the delegated ones. */
  readonly meta: ReadonlyMap<TargetsRole, MetaFile>;
}

/** TUF 1.0, "4.6. File formats: timestamp.json". */
export interface Timestamp extends Common {
  readonly type: 'timestamp';
  readonly snapshot: MetaFile;
}

/** TUF 1.0, "4.5. File formats: targets.json and delegated target roles". */
export interface Targets extends Common {
  readonly type: 'targets';
  /** By target path. */
  readonly targets: ReadonlyMap<string, Target>;
  readonly delegations: Delegations;
}

export type Metadata = Root | Targets | Snapshot | Timestamp;

/** A metadata file as another one lists it. `length` in bytes. */
export interface MetaFile {
  readonly version: number;
  readonly length: number;
  readonly sha256: string;
}

/** An image that is vouched for: the size in bytes and the hash of its manifest or index. */
export interface Target {
  readonly length: number;
  readonly digest: Digest;
  readonly custom?: JsonObject;
}

export interface Delegations {
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  /** In order of precedence. */
  readonly roles: readonly Delegation[];
}

export interface Delegation extends RoleKeys {
  readonly name: TargetsRole;
  readonly paths: readonly string[];
  /** Where it is silent on a path of its own, nobody behind it is asked. */
  readonly terminating: boolean;
}

export const NO_DELEGATIONS: Delegations = { keys: new Map(), roles: [] };

/** Part of file names and URLs, and never confused with a version or a top-level role. */
const ROLE_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** @throws PublishError */
export function checkRoleName(text: string): TargetsRole {
  if (!ROLE_NAME.test(text) || (TOP_ROLES as readonly string[]).includes(text)) {
    throw new PublishError(
      `expected the name of a delegated role, of up to 63 lower-case letters, digits, "-" and "_", got ${echo(text)}`,
    );
  }
  return text;
}

/** `docker.io/acme/app:1` or `docker.io/acme/app@sha256:…` as it stands in a target's hashes. */
export function targetJson({ length, digest, custom }: Target): JsonObject {
  return { length, hashes: { sha256: hexOf(digest) }, ...(custom === undefined ? {} : { custom }) };
}

export function sha256Digest(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** RFC 3339 in whole seconds, as the specification writes it; cut, so never later than given. */
export function momentText(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The same value with the names of its objects sorted: one document, one spelling. */
export function sorted(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value as JsonObject).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
