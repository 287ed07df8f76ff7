import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { keyId } from '../../trust/notary/key.ts';
import { type CertificateWish, makeCertificate } from './make-certificate.ts';

/** As Notary's metadata writes it. */
export type PublicKey = { keytype: string; keyval: { private: null; public: string } };

/** A key with which a role signs. */
export interface SigningKey {
  readonly id: string;
  readonly publicKey: PublicKey;
  readonly method: string;
  readonly privateKey: KeyObject;
  sign(message: Uint8Array): Buffer;
}

const RSA_BITS = 2048;

/** P-256, the kind that Notary's tools make. */
export function ecdsaKey(namedCurve = 'P-256'): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return ecdsaKeyOf(privateKey, 'ecdsa', publicKey.export({ format: 'der', type: 'spki' }));
}

export function rsaKey(modulusLength = RSA_BITS): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return rsaKeyOf(privateKey, 'rsa', publicKey.export({ format: 'der', type: 'spki' }));
}

/** Its public part is the 32 bytes alone, without SPKI around them. */
export function ed25519Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    ...published('ed25519', raw),
    method: 'eddsa',
    privateKey,
    sign: (message) => sign(null, message, privateKey),
  };
}

export interface RootKeyWish extends Partial<CertificateWish> {
  /** The GUN that the certificate is for. */
  readonly gun: string;
  readonly now: Date;
  readonly kind?: 'ecdsa' | 'rsa';
  /** An existing key that gets a new certificate. */
  readonly privateKey?: KeyObject;
  readonly modulusLength?: number;
  /** PEM of further certificates in the bundle. */
  readonly above?: string;
}

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** A root key: with a certificate whose common name is the GUN, self-signed unless an issuer is given. */
export function rootKey(wish: RootKeyWish): SigningKey {
  const pair =
    wish.kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: wish.modulusLength ?? RSA_BITS })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKey = wish.privateKey ?? pair.privateKey;
  const pem = makeCertificate({
    subject: wish.gun,
    issuer: wish.gun,
    issuerKey: privateKey,
    publicKey: wish.publicKey ?? createPublicKey(privateKey),
    notBefore: wish.now,
    notAfter: new Date(wish.now.getTime() + 10 * YEAR_MS),
    ...wish,
  });
  const bundle = Buffer.from(pem + (wish.above ?? ''));
  return wish.kind === 'rsa' ? rsaKeyOf(privateKey, 'rsa-x509', bundle) : ecdsaKeyOf(privateKey, 'ecdsa-x509', bundle);
}

function ecdsaKeyOf(privateKey: KeyObject, keytype: string, bytes: Uint8Array): SigningKey {
  return {
    ...published(keytype, bytes),
    method: 'ecdsa',
    privateKey,
    sign: (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

function rsaKeyOf(privateKey: KeyObject, keytype: string, bytes: Uint8Array): SigningKey {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return {
    ...published(keytype, bytes),
    method: 'rsapss',
    privateKey,
    sign: (message) => sign('sha256', message, { key: privateKey, padding, saltLength: 32 }),
  };
}

function published(keytype: string, bytes: Uint8Array): Pick<SigningKey, 'id' | 'publicKey'> {
  const encoded = Buffer.from(bytes).toString('base64');
  return { id: keyId(keytype, bytes), publicKey: { keytype, keyval: { private: null, public: encoded } } };
}
