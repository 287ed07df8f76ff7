import { Fields } from '../metadata/fields.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { Key } from './key.ts';
import { KEY_LIMIT } from './metadata-limits.ts';

/** Who may sign a role: so many different of these keys. */
export interface RoleKeys {
  readonly keys: readonly Key[];
  readonly threshold: number;
}

/** What was signed and by whom it claims to be: key ID to signature in hex. */
export interface Signed {
  /** Canonical JSON. */
  readonly message: Buffer;
  readonly signatures: ReadonlyMap<string, string>;
}

/** `keyids` and `threshold` of a role. @throws MetadataError METADATA_INVALID */
export function parseRoleKeys(value: Json, known: ReadonlyMap<string, Key>, where: string): RoleKeys {
  const fields = new Fields(value, where, ['keyids', 'threshold']);
  const ids = fields.texts('keyids', KEY_LIMIT);
  if (new Set(ids).size !== ids.length) throw malformed(where, 'each key ID once', 'one twice');
  // An ID without a key is a key that nobody can sign with, as in tuf-js.
  const keys = ids.map((id) => known.get(id)).filter((key) => key !== undefined);
  return { keys, threshold: fields.integer('threshold', 1) };
}

/** @throws MetadataError METADATA_INVALID */
export function parseKeys(fields: Fields, where: string): ReadonlyMap<string, Key> {
  return new Map(fields.entries('keys', KEY_LIMIT).map(([id, value]) => [id, new Key(id, value, where)]));
}

/**
 * The keys, of those given, that signed. Each underlying key once, whatever IDs it appears under: else one stolen key
 * could fill a threshold of two.
 */
export function signersOf({ message, signatures }: Signed, keys: readonly Key[]): readonly Key[] {
  const signers = new Map<string, Key>();
  for (const key of keys) {
    const signature = signatures.get(key.id);
    if (signature === undefined || key.identity === undefined || signers.has(key.identity)) continue;
    if (key.verifies(message, signature)) signers.set(key.identity, key);
  }
  return [...signers.values()];
}

/**
 * @returns the keys that signed
 * @throws MetadataError SIGNATURE_INVALID when they are fewer than the threshold
 */
export function requireThreshold(signed: Signed, { keys, threshold }: RoleKeys, where: string): readonly Key[] {
  const signers = signersOf(signed, keys);
  if (signers.length >= threshold) return signers;
  throw new MetadataError(
    'SIGNATURE_INVALID',
    `${where}: expected valid signatures of ${threshold} of ${keys.length} keys, got ${signers.length}`,
  );
}
