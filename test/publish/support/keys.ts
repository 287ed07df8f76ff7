import { generateKeyPairSync } from 'node:crypto';
import { type SigningKey, signingKeyOf } from '../../../publish/key.ts';

/** ECDSA P-256, such as `openssl ecparam -genkey` makes. */
export function ecKey(namedCurve = 'P-256'): SigningKey {
  return signingKeyOf(generateKeyPairSync('ec', { namedCurve }).privateKey);
}

export function rsaKey(modulusLength = 2048): SigningKey {
  return signingKeyOf(generateKeyPairSync('rsa', { modulusLength }).privateKey);
}
