/** trust.md 1.10, "Root", second part: signatures that look like one, on a role whose keys are known. */
import assert from 'node:assert/strict';
import { constants, ECDH, sign } from 'node:crypto';
import { test } from 'node:test';
import { ecdsaKey, ed25519Key, rootKey, rsaKey, type SigningKey } from '../support/signing-key.ts';
import { keyId } from '../../trust/notary/key.ts';
import { GUN, IMAGE, NOW, notaryClient, outcomeOf } from '../support/notary-client.ts';
import { NotaryRepository } from '../support/notary-repository.ts';

function published(keys: readonly SigningKey[], threshold = 1): NotaryRepository {
  const repository = new NotaryRepository({ gun: GUN, now: NOW });
  repository.entrust('targets', keys, threshold);
  repository.sign('1.0', IMAGE);
  repository.publish(NOW);
  return repository;
}

/** The same key, but it signs or describes itself in another way. */
function bent(key: SigningKey, change: Partial<SigningKey>): SigningKey {
  return { ...key, ...change };
}

function withType(key: SigningKey, keytype: string): SigningKey {
  const id = keyId(keytype, Buffer.from(key.publicKey.keyval.public, 'base64'));
  return { ...key, id, publicKey: { ...key.publicKey, keytype } };
}

const ec = ecdsaKey();
const rsa = rsaKey();
const ed = ed25519Key();
const weak = rsaKey(1024);
const rsaRoot = rootKey({ gun: GUN, now: NOW, kind: 'rsa' });
const PSS = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };

/** Its signature as it is, with a change. */
function resigned(key: SigningKey, change: (signature: Buffer) => Buffer): SigningKey {
  return bent(key, { sign: (message) => change(key.sign(message)) });
}

const signatures: readonly (readonly [cause: string, key: SigningKey, outcome: string])[] = [
  ['ECDSA on P-256', ec, 'vouched'],
  ['ECDSA on P-384', ecdsaKey('P-384'), 'vouched'],
  ['ECDSA on P-521', ecdsaKey('P-521'), 'vouched'],
  ['ECDSA on a curve that Notary does not know', ecdsaKey('secp256k1'), 'SIGNATURE_INVALID'],
  ['RSA-PSS', rsa, 'vouched'],
  [
    'RSA PKCS #1 v1.5',
    bent(rsa, { method: 'rsapkcs1v15', sign: (message) => sign('sha256', message, rsa.privateKey) }),
    'vouched',
  ],
  ['Ed25519', ed, 'vouched'],
  ['a method in capitals', bent(ec, { method: 'ECDSA' }), 'vouched'],
  ['an ECDSA key in a certificate', rootKey({ gun: 'ci', now: NOW }), 'vouched'],
  ['an RSA key in a certificate', rsaRoot, 'vouched'],
  [
    'a delegation certificate that has expired',
    rootKey({ gun: 'ci', now: NOW, notBefore: new Date(0), notAfter: NOW }),
    'vouched',
  ],
  [
    'a certificate signed with SHA-1',
    rootKey({ gun: 'ci', now: NOW, algorithm: { oid: '1.2.840.10045.4.1', hash: 'sha1' } }),
    'SIGNATURE_INVALID',
  ],
  ['RSA of 1024 bits', weak, 'SIGNATURE_INVALID'],
  ['a key type we do not know', withType(ec, 'dilithium'), 'SIGNATURE_INVALID'],
  ['a key type named like a property of every object', withType(ec, 'constructor'), 'SIGNATURE_INVALID'],
  ['an RSA key that says it is ECDSA', withType(rsa, 'ecdsa'), 'SIGNATURE_INVALID'],
  ['an ECDSA key that says it is RSA', withType(ec, 'rsa'), 'SIGNATURE_INVALID'],
  ['a certificate of an RSA key that says it is ECDSA', withType(rsaRoot, 'ecdsa-x509'), 'SIGNATURE_INVALID'],
  ['a bare key that says it is a certificate', withType(ec, 'ecdsa-x509'), 'SIGNATURE_INVALID'],
  ['an SPKI that says it is a bare Ed25519 key', withType(ec, 'ed25519'), 'SIGNATURE_INVALID'],
  ['a method we do not know', bent(ec, { method: 'none' }), 'SIGNATURE_INVALID'],
  ['a method named like a property of every object', bent(ec, { method: 'toString' }), 'SIGNATURE_INVALID'],
  ['a method that was left out on purpose', bent(rsa, { method: 'pycrypto-pkcs#1 pss' }), 'SIGNATURE_INVALID'],
  ['the method of another key type', bent(ec, { method: 'rsapss' }), 'SIGNATURE_INVALID'],
  ['the method of another RSA scheme', bent(rsa, { method: 'rsapkcs1v15' }), 'SIGNATURE_INVALID'],
  ['ECDSA in DER', bent(ec, { sign: (message) => sign('sha256', message, ec.privateKey) }), 'SIGNATURE_INVALID'],
  [
    'ECDSA with a byte more',
    resigned(ec, (signature) => Buffer.concat([signature, Buffer.of(0)])),
    'SIGNATURE_INVALID',
  ],
  ['ECDSA with wider numbers', resigned(ec, widened), 'SIGNATURE_INVALID'],
  ['ECDSA with a byte less', resigned(ec, (signature) => signature.subarray(1)), 'SIGNATURE_INVALID'],
  ['ECDSA with r and s of zero', resigned(ec, (signature) => Buffer.alloc(signature.byteLength)), 'SIGNATURE_INVALID'],
  [
    'ECDSA with another hash',
    bent(ec, { sign: (message) => sign('sha384', message, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }) }),
    'SIGNATURE_INVALID',
  ],
  [
    'PSS with a salt of 20 bytes',
    bent(rsa, { sign: (message) => sign('sha256', message, { ...PSS, saltLength: 20 }) }),
    'SIGNATURE_INVALID',
  ],
  [
    'PSS with the longest salt',
    bent(rsa, { sign: (message) => sign('sha256', message, { ...PSS, saltLength: 222 }) }),
    'SIGNATURE_INVALID',
  ],
  [
    'Ed25519 with a byte more',
    resigned(ed, (signature) => Buffer.concat([signature, Buffer.of(0)])),
    'SIGNATURE_INVALID',
  ],
  ['a signature of nothing', resigned(ec, () => Buffer.alloc(0)), 'SIGNATURE_INVALID'],
  [
    'a signature of something else',
    bent(ec, { sign: () => ec.sign(Buffer.from('something else')) }),
    'SIGNATURE_INVALID',
  ],
];

/** r and s with a zero in front of each: the same numbers. */
function widened(signature: Buffer): Buffer {
  const zero = Buffer.of(0);
  return Buffer.concat([zero, signature.subarray(0, 32), zero, signature.subarray(32)]);
}

for (const [cause, key, outcome] of signatures) {
  test(`${cause}: ${outcome}`, async (t) => {
    const { judge } = await notaryClient(t, published([key]));
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

function compressed(key: SigningKey): SigningKey {
  const spki = Buffer.from(key.publicKey.keyval.public, 'base64');
  const point = ECDH.convertKey(spki.subarray(-65), 'prime256v1', undefined, undefined, 'compressed');
  const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
  const bytes = Buffer.concat([head, Buffer.from(point)]);
  return {
    ...key,
    id: keyId('ecdsa', bytes),
    publicKey: { keytype: 'ecdsa', keyval: { private: null, public: bytes.toString('base64') } },
  };
}

const thresholds: readonly (readonly [cause: string, listed: SigningKey[], signing: SigningKey[], outcome: string])[] =
  [
    ['two keys, where two are asked for', [ec, rsa], [ec, rsa], 'vouched'],
    ['one of two keys, where two are asked for', [ec, rsa], [ec], 'SIGNATURE_INVALID'],
    ['one signature twice', [ec, rsa], [ec, ec], 'SIGNATURE_INVALID'],
    ['one key in two encodings', [ec, compressed(ec)], [ec, compressed(ec)], 'SIGNATURE_INVALID'],
    [
      'one key bare and in a certificate',
      [ec, rootKey({ gun: 'ci', now: NOW, privateKey: ec.privateKey })],
      [ec, rootKey({ gun: 'ci', now: NOW, privateKey: ec.privateKey })],
      'SIGNATURE_INVALID',
    ],
    ['a key that signed, and one that is not of the role', [ec, rsa], [ec, ed], 'SIGNATURE_INVALID'],
    ['a bad signature beside two good ones', [ec, rsa, ed], [ec, rsa, resigned(ed, () => Buffer.alloc(64))], 'vouched'],
    [
      'a bad signature before a good one of the same key',
      [ec, rsa],
      [resigned(ec, () => Buffer.alloc(64)), ec, rsa],
      'vouched',
    ],
  ];

for (const [cause, listed, signing, outcome] of thresholds) {
  test(`${cause}: ${outcome}`, async (t) => {
    const [one, other] = listed;
    // The certificate made for `listed` is the one that signs.
    const keys = signing.map((key) => (key.publicKey.keytype === 'ecdsa-x509' && other !== undefined ? other : key));
    const repository = published(listed, 2);
    repository.signers.set('targets', keys);
    repository.changed.add('targets');
    repository.publish(NOW);
    assert.ok(one);
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

const encodings: readonly (readonly [cause: string, change: (base64: string) => string])[] = [
  ['without its padding', (base64) => base64.replace(/=+$/, '')],
  ['in the alphabet of URLs', (base64) => base64.replaceAll('+', '-').replaceAll('/', '_').replace(/^./, '-')],
  ['with a line break', (base64) => `${base64.slice(0, 10)}\n${base64.slice(10)}`],
  [
    'with unused bits set',
    (base64) => base64.replace(/(.)==$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==`),
  ],
  ['with something after it', (base64) => `${base64}AAAA`.replace('==', '==x')],
];

for (const [cause, change] of encodings) {
  test(`a signature in base64 ${cause}: METADATA_INVALID`, async (t) => {
    const repository = published([ec]);
    repository.tamper('targets', ({ signatures: [signature] }) => {
      assert.ok(signature);
      signature.sig = change(signature.sig);
    });
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
  });
}

test('each role is signed by its own keys: those of targets do not sign a timestamp', async (t) => {
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    const repository = published([ec]);
    repository.signers.set(role, repository.signers.get(role === 'targets' ? 'snapshot' : 'targets') ?? []);
    repository.edit(role, () => undefined);
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID', role);
  }
});
