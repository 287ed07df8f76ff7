import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { canonicalJson } from '../metadata/canonical-json.ts';
import { Fields } from '../metadata/fields.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { parseBase64 } from './base64.ts';
import { type Certificate, parseCertificates } from './certificate.ts';

declare const brand: unique symbol;

/** Hex SHA-256 of the canonical JSON of a public key. For a certificate: of the certificate, so a renewed one is another key. */
export type KeyId = string & { readonly [brand]: 'KeyId' };

/** What a key verifies with, once its bytes have been understood and found strong enough. */
export interface KeyMaterial {
  readonly kind: 'ec' | 'rsa' | 'ed25519';
  readonly publicKey: KeyObject;
  /** Size of the numbers r and s of an ECDSA signature in bytes; 0 for other kinds. */
  readonly coordinateSize: number;
  /** The leaf first, then intermediates; empty for a bare key. */
  readonly certificates: readonly Certificate[];
  /** The ID of the key without its certificate: the same for every certificate of that key. */
  readonly canonicalId: KeyId;
}

/** NIST: 2048 bits is the least RSA modulus still allowed. */
const RSA_BITS_LEAST = 2048;

/** Curves that Notary's own key generation and Go's x509 both know, with the size of a coordinate. */
const CURVES: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

const ED25519_SIZE = 32;

/** A bundle of ten large certificates; nothing honest is longer. */
const PUBLIC_SIZE_LIMIT = 64 * 1024;

/** Key types and the kind of key each has to hold: an ecdsa key may not hide in an rsa-x509 wrapping. */
const KEY_TYPES: Readonly<Record<string, KeyMaterial['kind']>> = {
  ecdsa: 'ec',
  'ecdsa-x509': 'ec',
  rsa: 'rsa',
  'rsa-x509': 'rsa',
  ed25519: 'ed25519',
};

/** A public key of the metadata. Types we do not know, and keys too weak, are carried but never verify. */
export class Key {
  readonly id: KeyId;
  readonly type: string;
  readonly #bytes: Buffer;
  /** The material, or why there is none. Certificates are only read when a signature asks for them. */
  #material: KeyMaterial | MetadataError | undefined;

  constructor(type: string, bytes: Buffer) {
    this.id = keyId(type, bytes);
    this.type = type;
    this.#bytes = bytes;
  }

  /** @throws MetadataError KEY_NOT_TRUSTED: of an unknown type, not such a key, or too weak. */
  material(): KeyMaterial {
    this.#material ??= this.#read();
    if (this.#material instanceof MetadataError) throw this.#material;
    return this.#material;
  }

  /** The material, or `undefined` for a key that never verifies. */
  usable(): KeyMaterial | undefined {
    this.#material ??= this.#read();
    return this.#material instanceof MetadataError ? undefined : this.#material;
  }

  #read(): KeyMaterial | MetadataError {
    try {
      return readMaterial(this.type, this.#bytes);
    } catch (cause) {
      if (cause instanceof MetadataError) return cause;
      return new MetadataError('KEY_NOT_TRUSTED', `expected a key of type ${this.type}, got other bytes`, { cause });
    }
  }
}

/** @throws MetadataError METADATA_INVALID unless it is a key, and the key that `id` names. */
export function parseKey(id: string, value: Json, where: string): Key {
  const fields = new Fields(value, where, ['keytype', 'keyval']);
  const keyval = new Fields(fields.value('keyval'), `${where}.keyval`, ['public', 'private']);
  // Go writes `"private":null`; a private key in published metadata is a publisher's accident, or bait.
  if ((keyval.value('private') ?? null) !== null) throw malformed(where, 'a public key', 'a private one');
  const bytes = parseBase64(keyval.text('public'), where);
  if (bytes.byteLength > PUBLIC_SIZE_LIMIT) {
    throw malformed(where, `a key of at most ${PUBLIC_SIZE_LIMIT} bytes`, `${bytes.byteLength}`);
  }
  const key = new Key(fields.text('keytype'), bytes);
  // Otherwise one key could be listed under several IDs, or a pinned ID be given to another key.
  if (key.id !== id) throw malformed(where, `the key whose ID is ${key.id}`, `the ID ${id.slice(0, 64)}`);
  return key;
}

/** The ID that Notary gives a public key: `bytes` are a DER SPKI, 32 bytes of Ed25519, or a PEM bundle. */
export function keyId(type: string, bytes: Uint8Array): KeyId {
  const object = { keytype: type, keyval: { private: null, public: Buffer.from(bytes).toString('base64') } };
  return createHash('sha256').update(canonicalJson(object)).digest('hex') as KeyId;
}

function readMaterial(type: string, bytes: Buffer): KeyMaterial {
  const kind = Object.hasOwn(KEY_TYPES, type) ? KEY_TYPES[type] : undefined;
  if (kind === undefined) throw untrusted(`expected a key type of ${Object.keys(KEY_TYPES).join(', ')}, got another`);
  const certificates = type.endsWith('-x509') ? parseCertificates(bytes.toString('latin1')) : [];
  const publicKey = certificates[0]?.x509.publicKey ?? barePublicKey(kind, bytes);
  if (publicKey.asymmetricKeyType !== kind) {
    throw untrusted(`expected a key of kind ${kind} in ${type}, got ${publicKey.asymmetricKeyType}`);
  }
  return {
    kind,
    publicKey,
    coordinateSize: strengthOf(kind, publicKey),
    certificates,
    canonicalId: kind === 'ed25519' ? keyId(kind, bytes) : keyId(kind === 'ec' ? 'ecdsa' : 'rsa', plainSpki(publicKey)),
  };
}

/** By way of its numbers: an SPKI keeps, for one, a compressed point, and one key in two encodings would count as two. */
function plainSpki(key: KeyObject): Buffer {
  const numbers = createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
  return numbers.export({ format: 'der', type: 'spki' });
}

function barePublicKey(kind: KeyMaterial['kind'], bytes: Buffer): KeyObject {
  if (kind !== 'ed25519') return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  if (bytes.byteLength !== ED25519_SIZE) throw untrusted(`expected ${ED25519_SIZE} bytes, got ${bytes.byteLength}`);
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
}

/** The coordinate size of an elliptic curve key, 0 for others. @throws MetadataError KEY_NOT_TRUSTED when it is too weak. */
function strengthOf(kind: KeyMaterial['kind'], key: KeyObject): number {
  const details = key.asymmetricKeyDetails ?? {};
  if (kind === 'rsa' && (details.modulusLength ?? 0) < RSA_BITS_LEAST) {
    throw untrusted(`expected an RSA key of at least ${RSA_BITS_LEAST} bits, got ${details.modulusLength}`);
  }
  if (kind !== 'ec') return 0;
  const curve = details.namedCurve ?? '';
  const size = Object.hasOwn(CURVES, curve) ? CURVES[curve] : undefined;
  if (size === undefined) throw untrusted(`expected a curve of ${Object.keys(CURVES).join(', ')}, got ${curve}`);
  return size;
}

function untrusted(message: string): MetadataError {
  return new MetadataError('KEY_NOT_TRUSTED', message);
}
