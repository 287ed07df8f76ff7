import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hexDigest } from '../../../trust/metadata/hex-digest.ts';
import { publicGoodPin, publicGoodSeed } from '../../../trust/sigstore/public-good-root.ts';
import { about, cosignAuthority } from '../../support/cosign-authority.ts';
import { FakeRegistry, image } from '../../support/fake-registry.ts';
import { bundleImage } from '../../support/signature-images.ts';
import { imageStatement } from '../../support/image-statement.ts';
import { SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { MAX_AGE, rootClient, TARGET, TrustedRootMirror } from '../../support/trusted-root-mirror.ts';
import { DAY, HOUR, SECOND } from '../../support/tuf-client.ts';
import { keyless } from './cases.ts';

const publisher = await SigstorePublisher.create();
const FIRST = publisher.trustedRoot();
const SECOND_ROOT = publisher.trustedRoot((root) => {
  root.certificateAuthorities = [];
});
const [first, second] = [FIRST, SECOND_ROOT].map((bytes) => hexDigest('sha256', bytes));

async function published(t: import('node:test').TestContext, options = {}) {
  const mirror = await TrustedRootMirror.start(t, options);
  mirror.publish(FIRST);
  return mirror;
}

for (const consistent of [true, false]) {
  test(`it is fetched where nothing is known yet, ${consistent ? 'with' : 'without'} consistent snapshots`, async (t) => {
    const mirror = await published(t, { consistent });
    const client = await rootClient(t, mirror);
    assert.equal(await client.version(), first);
    assert.equal(mirror.requests.filter((name) => name.startsWith('targets/')).length, 1);
  });
}

test('once it is known nobody waits for the repository: it is refreshed in the background', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  mirror.publish(SECOND_ROOT);
  const asked = mirror.requests.length;
  client.clock.advance(HOUR);
  assert.equal(await client.version(), first);
  assert.equal(mirror.requests.length, asked);
  await client.source.keepFresh();
  assert.equal(await client.version(), second);
});

test('questions and background work at once cost one refresh', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await Promise.all([client.source.keepFresh(), ...Array.from({ length: 100 }, () => client.current())]);
  for (const name of ['timestamp.json', mirror.file]) {
    assert.equal(mirror.requests.filter((request) => request === name).length, 1, name);
  }
});

test('the last good one is on disk: a restart needs nobody', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  const asked = mirror.requests.length;
  for (const readOnly of [false, true]) {
    const restarted = await client.reopen({ readOnly });
    assert.equal(await restarted.version(), first);
  }
  assert.equal(mirror.requests.length, asked);
});

test('bytes on disk that are not what was signed are fetched again, and not used', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  const [name = ''] = await readdir(join(client.home, 'trust', 'targets'));
  await writeFile(join(client.home, 'trust', 'targets', name), SECOND_ROOT);
  mirror.answer = () => 503;
  const cut = await client.reopen();
  assert.equal(await cut.version(), 'TRUST_UNREACHABLE');
  mirror.answer = () => undefined;
  cut.clock.advance(HOUR);
  assert.equal(await cut.version(), first);
});

test('who only reads writes nothing, also when it has to ask', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror, { readOnly: true });
  assert.equal(await client.version(), first);
  assert.deepEqual(await readdir(client.home), []);
});

test('it begins with the seed where the repository cannot be asked, and the seed gives way to what is fetched', async (t) => {
  const mirror = await published(t);
  mirror.answer = () => 503;
  const client = await rootClient(t, mirror, { seed: { bytes: SECOND_ROOT, asOf: new Date(Date.now() - DAY) } });
  assert.equal(await client.version(), second);
  assert.deepEqual(mirror.requests, [], 'nobody waits for the repository');
  await client.source.keepFresh();
  assert.equal(await client.version(), second);
  assert.equal(client.source.status(MAX_AGE).failure?.reason, 'TRUST_UNREACHABLE');
  mirror.answer = () => undefined;
  client.clock.advance(HOUR);
  await client.source.keepFresh();
  assert.equal(await client.version(), first);
  assert.equal(await (await client.reopen()).version(), first);
});

test('while the repository cannot be reached the last good one is used for so long and no longer', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  mirror.answer = () => 503;
  client.clock.advance(MAX_AGE - SECOND);
  await client.source.keepFresh();
  const { validUntil, notes = [] } = await client.current();
  assert.equal(validUntil?.getTime(), client.clock.now().getTime() + SECOND);
  assert.match(notes.map(({ text }) => text).join(), /last found in force .* could not be asked/);
  client.clock.advance(SECOND);
  await assert.rejects(client.current(), {
    reason: 'TRUST_STALE',
    message:
      /^the trusted root \(test\) was last found in force .*, longer ago than the 90 days of trustRootMaxAge; .*503/,
  });
  assert.equal(await client.version(MAX_AGE + DAY), first, 'another authority may allow more');
});

test('after a failure the background is in no hurry, and who needs it is not kept waiting for that', async (t) => {
  const mirror = await published(t);
  mirror.answer = () => 503;
  const client = await rootClient(t, mirror);
  await client.source.keepFresh();
  const asked = mirror.requests.length;
  client.clock.advance(9 * 60 * SECOND);
  await client.source.keepFresh();
  assert.equal(mirror.requests.length, asked);
  mirror.answer = () => undefined;
  assert.equal(await client.version(), first);
});

test('a seed is used for so long from its day, and a clock before its day is not believed', async (t) => {
  const mirror = await published(t);
  mirror.answer = () => 503;
  const client = await rootClient(t, mirror);
  const seeded = (age: number) =>
    client.reopen({ seed: { bytes: FIRST, asOf: new Date(client.clock.now().getTime() - age) } });
  assert.equal(await (await seeded(MAX_AGE - SECOND)).version(), first);
  assert.equal(await (await seeded(MAX_AGE)).version(), 'TRUST_STALE');
  assert.equal(await (await seeded(-DAY)).version(), 'TRUST_STALE');
});

test('the seed of this version is that of its day', () => {
  const { bytes, asOf } = publicGoodSeed();
  assert.deepEqual(
    [hexDigest('sha256', bytes), hexDigest('sha256', publicGoodPin()), asOf.toISOString().slice(0, 10)],
    [
      '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
      '27aea7e372aa7864065174f0661784fcf8b0e28b1dbfebeada31a0f1fb19167f',
      '2026-11-05',
    ],
  );
});

test('a newer root that was seen ends what was found good under an older one, also the seed', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  mirror.repository.rotate('timestamp');
  client.clock.advance(HOUR);
  await client.source.keepFresh();
  assert.match(await client.version(), /KEY_NOT_TRUSTED|SIGNATURE_INVALID|SIGNERS_MISSING/);
  const other = await rootClient(t, mirror, { seed: { bytes: FIRST, asOf: client.clock.now() } });
  await other.source.keepFresh();
  assert.match(await other.version(), /KEY_NOT_TRUSTED|SIGNATURE_INVALID|SIGNERS_MISSING/);
  mirror.publish(SECOND_ROOT);
  client.clock.advance(HOUR);
  assert.equal(await client.version(), second, 'a rotation that is carried through is followed');
});

test('another pinned root than before begins anew, and what the old one vouched for is not used', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  const foreign = await TrustedRootMirror.start(t);
  foreign.publish(SECOND_ROOT);
  const other = await client.reopen({ pin: foreign.repository.root() });
  assert.match(await other.version(), /KEY_NOT_TRUSTED|SIGNATURE_INVALID|SIGNERS_MISSING/);
});

test('its status has versions and ends of the roles, and of a seed what is known of it', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  await client.current();
  const { of, refreshedAt, failure, versions, expiries } = client.source.status(MAX_AGE);
  assert.deepEqual([of, refreshedAt, failure], ['trusted root (test)', client.clock.now(), undefined]);
  assert.deepEqual(versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  assert.deepEqual(
    expiries.map(({ what }) => what),
    ['root', 'timestamp', 'snapshot', 'targets'],
  );
  const restarted = await client.reopen({ readOnly: true });
  await restarted.source.recall();
  assert.deepEqual(restarted.source.status(MAX_AGE).versions, versions);
  const asOf = client.clock.now();
  const seeded = await rootClient(t, mirror, { seed: { bytes: FIRST, asOf } });
  const brought = seeded.source.status(MAX_AGE);
  assert.deepEqual([brought.refreshedAt, brought.versions], [undefined, { root: 1 }]);
  assert.deepEqual(brought.expiries.at(-1), {
    what: 'trusted root that came with this version',
    at: new Date(asOf.getTime() + MAX_AGE),
  });
});

test('a folder that was removed is made again above the versions that were seen', async (t) => {
  const mirror = await published(t);
  const before = mirror.repository.stored();
  const client = await rootClient(t, mirror);
  mirror.publish(SECOND_ROOT);
  await client.current();
  await rm(join(client.home, 'trust'), { recursive: true });
  mirror.repository.restore(before);
  const anew = await client.reopen();
  assert.equal(await anew.version(), 'METADATA_ROLLBACK');
});

test('a target in a folder is found there', async (t) => {
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(FIRST, `sigstore/${TARGET}`);
  const client = await rootClient(t, mirror, { target: `sigstore/${TARGET}` });
  assert.equal(await client.version(), first);
});

test('a verdict that rested on it is judged again when it changes, whatever else is the same', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  const registry = await FakeRegistry.start(t);
  const app = image({ layers: ['the app'] });
  registry.push('app', app, '1');
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app));
  const authority = cosignAuthority(t, registry, publisher, keyless(), { root: client.source, refresh: 24 * HOUR });
  const judged = () => authority.judge(about(app.digest, client.clock.now()));
  assert.equal((await judged()).outcome, 'vouched');
  mirror.repository.publishTimestamp();
  client.clock.advance(HOUR);
  await client.source.keepFresh();
  assert.equal((await judged()).outcome, 'vouched');
  assert.equal(registry.count('referrers'), 1, 'new metadata with the same trusted root changes nothing');
  mirror.publish(SECOND_ROOT);
  client.clock.advance(HOUR);
  await client.source.keepFresh();
  const after = await judged();
  assert.equal(after.outcome === 'refused' && after.reason, 'KEY_NOT_TRUSTED');
  assert.equal(registry.count('referrers'), 2);
});

test('what is wrong with it is what the authority says, and its age is no matter of the rule', async (t) => {
  const mirror = await published(t);
  const client = await rootClient(t, mirror);
  const registry = await FakeRegistry.start(t);
  const app = image({ layers: ['the app'] });
  registry.push('app', app, '1');
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app));
  const authority = cosignAuthority(t, registry, publisher, keyless(), { root: client.source, rootMaxAge: 10 * DAY });
  const judged = () => authority.judge(about(app.digest, client.clock.now(), HOUR));
  assert.equal((await judged()).outcome, 'vouched');
  mirror.answer = () => 503;
  client.clock.advance(9 * DAY);
  await client.source.keepFresh();
  const standing = await judged();
  assert.ok(standing.outcome === 'vouched');
  assert.deepEqual(standing.refreshedAt, client.clock.now());
  assert.ok(standing.validUntil.getTime() - client.clock.now().getTime() <= DAY);
  assert.ok(standing.evidence.some(({ ok, text }) => !ok && text.includes('last found in force')));
  client.clock.advance(DAY);
  const stale = await judged();
  assert.deepEqual([stale.outcome, stale.outcome === 'undetermined' && stale.reason], ['undetermined', 'TRUST_STALE']);
  assert.match(authority.status().trust[0]?.failure?.message ?? '', /503/);
});

test('keys that have not signed may stand there with an empty signature, as the public good repository has them', async (t) => {
  const mirror = await published(t);
  const name = mirror.repository.fileOf('targets');
  const file = JSON.parse(mirror.repository.files.get(name)?.toString() ?? '');
  file.signatures.push({ keyid: '0'.repeat(64), sig: '' });
  mirror.repository.files.set(name, Buffer.from(JSON.stringify(file)));
  mirror.repository.publishSnapshot();
  const client = await rootClient(t, mirror);
  assert.equal(await client.version(), first);
});
