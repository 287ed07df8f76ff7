import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { parsePublicKey } from '../../../trust/sigstore/public-key.ts';
import { ecKey, pemText } from '../../support/key-pair.ts';
import { CERTIFICATE } from '../../config/pem.ts';

const { publicKey, privateKey } = ecKey();
const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('the id of a key is the hash of what it is, whatever the text around it', () => {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(spki).digest('hex');
  assert.equal(parsePublicKey(`a comment\n${pemText(publicKey)}\n`).id, id);
});

/** What Node would make a public key of, and what is too weak to be one. */
const REFUSED: readonly [what: string, pem: string][] = [
  ['a private key', privatePem],
  ['a certificate', CERTIFICATE],
  ['two keys', pemText(publicKey) + pemText(ecKey().publicKey)],
  ['a private key beside a public one', pemText(publicKey) + privatePem],
  ['nothing', ''],
  ['no key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
  ['RSA of 1024 bits', pemText(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
  ['another curve', pemText(ecKey('secp256k1').publicKey)],
  ['a key that does not sign', pemText(generateKeyPairSync('x25519').publicKey as KeyObject)],
];

for (const [what, pem] of REFUSED) {
  test(`${what} is no key for signatures`, () => {
    assert.throws(() => parsePublicKey(pem));
  });
}
