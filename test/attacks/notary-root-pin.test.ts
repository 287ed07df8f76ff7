/** trust.md 1.10, "Root": the three kinds of pin, and what happens when the operator changes it. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { sequence } from '../support/der.ts';
import { type CertificateWish, extension, makeCertificate } from '../support/make-certificate.ts';
import { rootKey, type SigningKey } from '../support/signing-key.ts';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { DAY, GUN, IMAGE, NOW, notaryClient, outcomeOf, signedRepository } from '../support/notary-client.ts';
import { NotaryRepository } from '../support/notary-repository.ts';

const YEAR = 365 * DAY;

interface TestCa {
  readonly name: string;
  readonly pem: string;
  readonly key: KeyObject;
}

function makeCa(name: string, issuer?: TestCa, wish: Partial<CertificateWish> = {}): TestCa {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = makeCertificate({
    subject: name,
    issuer: issuer?.name ?? name,
    issuerKey: issuer?.key ?? privateKey,
    publicKey,
    notBefore: new Date(NOW.getTime() - YEAR),
    notAfter: new Date(NOW.getTime() + 20 * YEAR),
    ca: {},
    ...wish,
  });
  return { name, pem, key: privateKey };
}

function certifiedBy(ca: TestCa, above = ''): SigningKey {
  return rootKey({ gun: GUN, now: NOW, issuer: ca.name, issuerKey: ca.key, above });
}

function publishedWith(key: SigningKey): NotaryRepository {
  const repository = new NotaryRepository({ gun: GUN, now: NOW, rootKeys: [key] });
  repository.sign('1.0', IMAGE);
  repository.publish(NOW);
  return repository;
}

const root = makeCa('corp root');
const strictRoot = makeCa('strict root', undefined, { ca: { pathLength: 0 } });
const issuing = makeCa('corp issuing', root);
const expired = makeCa('corp expired', root, { notAfter: NOW });
const constrained = makeCa('corp constrained', root, { extensions: [extension('2.5.29.30', 'critical', sequence())] });
const overreaching = makeCa('strict issuing', strictRoot);
const impostor = makeCa('corp root');
const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
const weak: TestCa = { ...makeCa('weak', root, { publicKey: short.publicKey }), key: short.privateKey };

const chains: readonly (readonly [cause: string, pin: TestCa, key: () => SigningKey, outcome: string])[] = [
  ['the CA issued it', root, () => certifiedBy(root), 'vouched'],
  ['an intermediate of the CA issued it', root, () => certifiedBy(issuing, issuing.pem), 'vouched'],
  ['the intermediate is not in the bundle', root, () => certifiedBy(issuing), 'KEY_NOT_TRUSTED'],
  ['another CA issued it', makeCa('other'), () => certifiedBy(root), 'KEY_NOT_TRUSTED'],
  ['a CA of the same name issued it', root, () => certifiedBy(impostor), 'KEY_NOT_TRUSTED'],
  ['it is self-signed', root, () => rootKey({ gun: GUN, now: NOW }), 'KEY_NOT_TRUSTED'],
  ['the intermediate has expired', root, () => certifiedBy(expired, expired.pem), 'KEY_NOT_TRUSTED'],
  [
    'the intermediate has name constraints we do not read',
    root,
    () => certifiedBy(constrained, constrained.pem),
    'KEY_NOT_TRUSTED',
  ],
  [
    'the CA may issue leaves only, and an intermediate did',
    strictRoot,
    () => certifiedBy(overreaching, overreaching.pem),
    'KEY_NOT_TRUSTED',
  ],
  ['a CA that may issue leaves only issued it', strictRoot, () => certifiedBy(strictRoot), 'vouched'],
  ['the key of the intermediate is RSA of 1024 bits', root, () => certifiedBy(weak, weak.pem), 'KEY_NOT_TRUSTED'],
];

for (const [cause, { pem }, key, outcome] of chains) {
  test(`with a pinned CA, ${cause}: ${outcome}`, async (t) => {
    const { judge } = await notaryClient(t, publishedWith(key()), { pin: { kind: 'ca', pem } });
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a leaf certificate that is itself the pinned file is trusted', async (t) => {
  const key = rootKey({ gun: GUN, now: NOW });
  const pem = Buffer.from(key.publicKey.keyval.public, 'base64').toString();
  const { judge } = await notaryClient(t, publishedWith(key), { pin: { kind: 'ca', pem } });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a leaf cannot issue: a bundle with one in the place of an intermediate is refused', async (t) => {
  const leaf = certifiedBy(root);
  const issuer: TestCa = {
    name: GUN,
    key: leaf.privateKey,
    pem: Buffer.from(leaf.publicKey.keyval.public, 'base64').toString(),
  };
  const { judge } = await notaryClient(t, publishedWith(certifiedBy(issuer, issuer.pem)), {
    pin: { kind: 'ca', pem: root.pem },
  });
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
});

test('the pin may be the ID of the key in the certificate, and then outlives a renewed certificate', async (t) => {
  const key = rootKey({ gun: GUN, now: NOW });
  const { judge } = await notaryClient(t, publishedWith(key));
  const [step] = (await judge('1.0')).evidence;
  const ids = [step?.facts?.canonicalKeys ?? []].flat().map(String);
  assert.notDeepEqual(ids, [key.id]);
  const renewed = rootKey({ gun: GUN, now: NOW, privateKey: key.privateKey });
  const { judge: again } = await notaryClient(t, publishedWith(renewed), { pin: { kind: 'rootKeys', ids } });
  assert.equal(outcomeOf(await again('1.0')), 'vouched');
});

test('trust on first use is said aloud, and then holds against another root', async (t) => {
  const { judge, repository, log, reopen } = await notaryClient(t, signedRepository(), { pin: { kind: 'tofu' } });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(log.at('warn').filter(({ text }) => text.startsWith('trust on first use')).length, 1);
  const thief = signedRepository();
  thief.edit('root', (part) => {
    part.version = 2;
  });
  repository.restore(thief.stored());
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
  const { judge: later } = await reopen();
  assert.equal(outcomeOf(await later('1.0')), 'KEY_NOT_TRUSTED', 'also after a restart');
});

test('a root taken on first use does not stand once a pin says otherwise, reachable or not', async (t) => {
  const thief = signedRepository();
  const { judge, fetch, reopen, repository } = await notaryClient(t, thief, { pin: { kind: 'tofu' } });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const honest = signedRepository();
  const pinned = { pin: { kind: 'rootKeys' as const, ids: [honest.rootKeyId] }, refresh: DAY };
  const { judge: strict } = await reopen(pinned);
  assert.equal(outcomeOf(await strict('1.0')), 'KEY_NOT_TRUSTED', 'although it was refreshed just now');
  fetch.fault = new MetadataUnavailable('connection refused');
  const { judge: offline } = await reopen(pinned);
  assert.equal(outcomeOf(await offline('1.0')), 'TRUST_UNREACHABLE');
  fetch.fault = undefined;
  honest.edit('timestamp', (part) => {
    part.version = 7;
  });
  repository.restore(honest.stored());
  const { judge: mended } = await reopen(pinned);
  assert.equal(
    outcomeOf(await mended('1.0')),
    'METADATA_ROLLBACK',
    'versions seen under the old pin are not forgotten',
  );
});

test('a new pin that an earlier root of the server meets is followed from there', async (t) => {
  const repository = signedRepository();
  const ids = [repository.rootKeyId];
  repository.rotate('root');
  repository.publish(NOW);
  const { judge, reopen } = await notaryClient(t, repository, { pin: { kind: 'tofu' } });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const { judge: pinned, fetch } = await reopen({ pin: { kind: 'rootKeys', ids } });
  assert.equal(outcomeOf(await pinned('1.0')), 'vouched');
  assert.ok(fetch.requests.includes('1.root.json'));
});
