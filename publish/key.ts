import { constants, createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from '../trust/metadata/canonical-json.ts';
import { Fields } from '../trust/metadata/fields.ts';
import type { Json, JsonObject } from '../trust/metadata/strict-json.ts';
import { echo, PublishError } from './publish-error.ts';

declare const brand: unique symbol;

/** SHA-256 of the canonical JSON of the key object, 64 lower-case hex digits. TUF 1.0, "4.2. File formats: general principles". */
export type KeyId = string & { readonly [brand]: 'KeyId' };

/** A key that signatures are verified with, and how metadata writes it. */
export interface PublicKey {
  readonly id: KeyId;
  readonly json: JsonObject;
  readonly keyObject: KeyObject;
}

/** A key that signs. */
export interface SigningKey {
  readonly public: PublicKey;
  readonly privateKey: KeyObject;
}

type Scheme = 'ed25519' | 'ecdsa-sha2-nistp256' | 'rsassa-pss-sha256';

/** NIST SP 800-131A: shorter RSA keys are no longer acceptable for signatures. */
const RSA_BITS_LEAST = 2048;
/** RSASSA-PSS with a salt as long as its hash, as TUF's other implementations sign. Bytes. */
const PSS_SALT = 32;
const ED25519_HEX = /^[0-9a-f]{64}$/;

/** A new Ed25519 key: small, fast, and the same signature each time for the same bytes. */
export function generateKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey);
}

export function signingKeyOf(privateKey: KeyObject): SigningKey {
  return { public: publicKeyOf(createPublicKey(privateKey)), privateKey };
}

/** @throws PublishError for a key that TUF clients cannot use: only Ed25519, ECDSA P-256 and RSA from 2048 bits. */
export function publicKeyOf(keyObject: KeyObject): PublicKey {
  const scheme = schemeOf(keyObject);
  const json: JsonObject = {
    keytype: scheme === 'ed25519' ? 'ed25519' : scheme === 'rsassa-pss-sha256' ? 'rsa' : 'ecdsa',
    scheme,
    keyval: { public: scheme === 'ed25519' ? ed25519Hex(keyObject) : pemOf(keyObject) },
  };
  return { id: idOf(json), json, keyObject };
}

/** Reads a key of the metadata, under the id it stands under. */
export function parseKey(id: string, value: Json, where: string): PublicKey {
  const fields = new Fields(value, where, ['keytype', 'scheme', 'keyval']);
  const text = new Fields(fields.object('keyval'), where, ['public']).text('public');
  const key = publicKeyOf(keyObjectOf(text, where));
  const said = value as JsonObject;
  // A foreign id would let one key count twice towards a threshold, and a foreign spelling would change the id.
  if (idOf(said) !== id || idOf(said) !== key.id) {
    throw new PublishError(`${where}: expected the key ${key.id} under its own id and form, got ${echo(id)}`);
  }
  return key;
}

/** Hex of the signature over these bytes. The same bytes give the same signature with Ed25519 only. */
export function signatureOf({ public: { keyObject }, privateKey }: SigningKey, message: Uint8Array): string {
  return sign(algorithmOf(keyObject), message, { key: privateKey, ...paddingOf(keyObject) }).toString('hex');
}

/** False for anything that is not a good signature. */
export function verifies({ keyObject }: PublicKey, message: Uint8Array, signature: string): boolean {
  if (!/^(?:[0-9a-f]{2})+$/.test(signature)) return false;
  try {
    return verify(
      algorithmOf(keyObject),
      message,
      { key: keyObject, ...paddingOf(keyObject) },
      Buffer.from(signature, 'hex'),
    );
  } catch {
    return false;
  }
}

/** Enough of a key id for a person to tell keys apart. */
export function shortId(id: KeyId): string {
  return id.slice(0, 8);
}

/** Ed25519 brings its own hash. */
function algorithmOf(key: KeyObject): 'sha256' | null {
  return schemeOf(key) === 'ed25519' ? null : 'sha256';
}

function paddingOf(key: KeyObject): { padding: number; saltLength: number } | object {
  if (schemeOf(key) !== 'rsassa-pss-sha256') return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT };
}

function schemeOf(key: KeyObject): Scheme {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-sha2-nistp256';
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_LEAST) return 'rsassa-pss-sha256';
  const got = [type, details?.namedCurve, details?.modulusLength].filter((part) => part !== undefined).join(' ');
  throw new PublishError(`expected an Ed25519, ECDSA P-256 or RSA key (from ${RSA_BITS_LEAST} bits), got ${got}`);
}

function keyObjectOf(text: string, where: string): KeyObject {
  try {
    if (!ED25519_HEX.test(text)) return createPublicKey(text);
    const x = Buffer.from(text, 'hex').toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch (cause) {
    throw new PublishError(`${where}: expected a public key in hex or PEM, got ${echo(text)}`, { cause });
  }
}

function ed25519Hex(key: KeyObject): string {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

function idOf(json: JsonObject): KeyId {
  return createHash('sha256').update(canonicalJson(json)).digest('hex') as KeyId;
}
