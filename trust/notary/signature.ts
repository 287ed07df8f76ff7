import { constants, verify } from 'node:crypto';
import { Fields } from '../metadata/fields.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { parseBase64 } from './base64.ts';
import type { Key, KeyMaterial } from './key.ts';

export interface Signature {
  readonly keyId: string;
  /** Lower case. */
  readonly method: string;
  readonly bytes: Buffer;
}

/** Who may sign a role: so many different of these keys. */
export interface RoleKeys {
  readonly keys: readonly Key[];
  readonly threshold: number;
}

/** What was signed and by whom it claims to be. */
export interface Signed {
  /** Canonical JSON. */
  readonly message: Buffer;
  readonly signatures: readonly Signature[];
}

interface Method {
  readonly kind: KeyMaterial['kind'];
  verifies(message: Buffer, key: KeyMaterial, signature: Buffer): boolean;
}

/** Notary's PSS salt is as long as its hash. Another length is another scheme, so it is not detected but required. */
const PSS_SALT_SIZE = 32;

const ED25519_SIGNATURE_SIZE = 64;

/** SHA-256 throughout, whatever the curve. `pycrypto-pkcs#1 pss`, of no known publisher, is left out: it never verifies. */
const METHODS: Readonly<Record<string, Method>> = {
  ecdsa: {
    kind: 'ec',
    verifies: (message, { publicKey, coordinateSize }, signature) =>
      signature.byteLength === 2 * coordinateSize &&
      verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature),
  },
  rsapss: {
    kind: 'rsa',
    verifies: (message, { publicKey }, signature) =>
      verify(
        'sha256',
        message,
        { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT_SIZE },
        signature,
      ),
  },
  rsapkcs1v15: {
    kind: 'rsa',
    verifies: (message, { publicKey }, signature) =>
      verify('sha256', message, { key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature),
  },
  eddsa: {
    kind: 'ed25519',
    verifies: (message, { publicKey }, signature) =>
      signature.byteLength === ED25519_SIGNATURE_SIZE && verify(null, message, publicKey, signature),
  },
};

/** @throws MetadataError METADATA_INVALID */
export function parseSignature(value: Json, where: string): Signature {
  const fields = new Fields(value, where, ['keyid', 'method', 'sig']);
  return {
    keyId: fields.text('keyid'),
    method: fields.text('method').toLowerCase(),
    bytes: parseBase64(fields.text('sig'), where),
  };
}

/**
 * The keys, of those given, that signed. Each underlying key once, however many signatures, IDs or certificates
 * it appears under: else one stolen key could fill a threshold of two.
 */
export function signersOf(signed: Signed, keys: readonly Key[]): readonly Key[] {
  const signers = new Map<string, Key>();
  for (const key of keys) {
    const material = key.usable();
    if (material === undefined || signers.has(material.canonicalId)) continue;
    const own = signed.signatures.filter(({ keyId }) => keyId === key.id);
    if (own.some((signature) => verifies(signed.message, material, signature))) signers.set(material.canonicalId, key);
  }
  return [...signers.values()];
}

/**
 * @returns the keys that signed
 * @throws MetadataError SIGNATURE_INVALID when they are fewer than the threshold
 */
export function requireThreshold(signed: Signed, role: RoleKeys, where: string): readonly Key[] {
  const signers = signersOf(signed, role.keys);
  if (signers.length < role.threshold) {
    throw new MetadataError(
      'SIGNATURE_INVALID',
      `${where}: expected valid signatures of ${role.threshold} of ${role.keys.length} keys, got ${signers.length}`,
    );
  }
  return signers;
}

function verifies(message: Buffer, key: KeyMaterial, signature: Signature): boolean {
  const method = Object.hasOwn(METHODS, signature.method) ? METHODS[signature.method] : undefined;
  // Method confusion: the key decides what it may be used for, not the unsigned `method` beside the signature.
  return method !== undefined && method.kind === key.kind && method.verifies(message, key, signature.bytes);
}
