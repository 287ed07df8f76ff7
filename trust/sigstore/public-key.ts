import { createHash, createPublicKey, constants, type KeyObject, verify } from 'node:crypto';
import { isSignedByPrehash } from './ed25519ph.ts';
import { SigstoreError } from './sigstore-error.ts';

/** A public key that a policy names. */
export interface PublicKey {
  /** SHA-256 of its SubjectPublicKeyInfo, in lower-case hex. */
  readonly id: string;
  readonly key: KeyObject;
}

const CURVES: Readonly<Record<string, readonly string[]>> = {
  // What cosign signs with, newest habit first: the hash of the curve's size (version 3), SHA-256 always (before).
  prime256v1: ['sha256'],
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};

const LEAST_RSA_BITS = 2048;

/**
 * One key in PEM: ECDSA on P-256, P-384 or P-521, RSA of at least 2048 bits, or Ed25519.
 * @throws RangeError for anything else. A private key or a certificate is not taken for a public key.
 */
export function parsePublicKey(pem: string): PublicKey {
  const blocks = pem.match(/-----BEGIN [^-]+-----/g) ?? [];
  if (blocks.length !== 1 || blocks[0] !== '-----BEGIN PUBLIC KEY-----') {
    throw new RangeError(`expected one PEM block PUBLIC KEY, got ${blocks.join(', ') || 'none'}`);
  }
  return checkedKey(createPublicKey(pem));
}

/** @throws RangeError for a kind or size of key that is not trusted with anything. */
export function checkedKey(key: KeyObject): PublicKey {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const kind = key.asymmetricKeyType;
  const fit =
    (kind === 'ec' && namedCurve in CURVES) ||
    (kind === 'rsa' && modulusLength >= LEAST_RSA_BITS) ||
    kind === 'ed25519';
  if (!fit) {
    const got = `${kind ?? 'nothing'} ${namedCurve || modulusLength || ''}`.trim();
    throw new RangeError(`expected a key for ECDSA P-256, P-384 or P-521, RSA from 2048 bits, or Ed25519, got ${got}`);
  }
  return { id: keyIdOf(key), key };
}

export function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Whether the signature over these bytes is by this key. Ed25519 too, which the library cannot check in any of its two forms. */
export function isSignedBy({ key }: Pick<PublicKey, 'key'>, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    switch (key.asymmetricKeyType) {
      case 'ed25519':
        // cosign signs with the prehash, so that a log can check it; older versions and other tools without.
        return verify(null, signed, key, signature) || isSignedByPrehash(key, signed, signature);
      case 'ec': {
        const hashes = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
        return hashes.some((hash) => verify(hash, signed, key, signature));
      }
      case 'rsa':
        return (
          verify('sha256', signed, key, signature) ||
          verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature)
        );
      default:
        return false;
    }
  } catch (cause) {
    throw new SigstoreError('SIGNATURE_INVALID', 'a signature could not be checked with its key', { cause });
  }
}
