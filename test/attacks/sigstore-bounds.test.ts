import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { OCI_INDEX } from '../../oci/media-type.ts';
import { about, cosignAuthority } from '../support/cosign-authority.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import {
  annotatedIndex,
  artifactImage,
  BUNDLE_TYPE,
  bundleImage,
  legacyImage,
  signatureTag,
} from '../support/signature-images.ts';
import { imageStatement, simpleSigning } from '../support/image-statement.ts';
import { ecKey } from '../support/key-pair.ts';
import { SigstorePublisher } from '../support/sigstore-publisher.ts';
import { keyless } from '../trust/sigstore/cases.ts';

const publisher = await SigstorePublisher.create();
const app = image({ layers: ['the app'] });
const NOT_MORE = /expected at most 100, got more/;

async function judged(t: import('node:test').TestContext, registry: FakeRegistry, budget = 20_000) {
  const authority = cosignAuthority(t, registry, publisher, keyless(), { budget });
  return authority.judge(about(app.digest, publisher.now));
}

function texts(finding: Awaited<ReturnType<typeof judged>>): string {
  return finding.evidence.map(({ text }) => text).join('\n');
}

test('ten thousand referrers cost no more than a hundred', async (t) => {
  const registry = await FakeRegistry.start(t);
  const bundle = bundleImage(await publisher.statement(imageStatement(app.digest), { key: ecKey() }), app);
  registry.push('app', bundle);
  const [entry] = JSON.parse(annotatedIndex([{ image: bundle }]).bytes.toString()).manifests;
  const manifests = Array.from({ length: 10_000 }, () => entry);
  registry.spoil(
    { kind: 'referrers' },
    { body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }) },
  );
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'KEY_NOT_TRUSTED');
  assert.match(texts(finding), NOT_MORE);
  assert.ok(registry.count('blob') <= 101, `${registry.count('blob')} blobs`);
});

test('a list of referrers past any bound is refused unread', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.spoil({ kind: 'referrers' }, { status: 200, endless: true, headers: { 'content-type': OCI_INDEX } });
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'METADATA_INVALID', texts(finding));
});

test('manifests without any signature in them are counted as well', async (t) => {
  const registry = await FakeRegistry.start(t);
  const empty = artifactImage([], BUNDLE_TYPE, app);
  registry.push('app', empty);
  const [entry] = JSON.parse(annotatedIndex([{ image: empty }]).bytes.toString()).manifests;
  const manifests = Array.from({ length: 5000 }, () => entry);
  registry.spoil(
    { kind: 'referrers' },
    { body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }) },
  );
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'METADATA_INVALID');
  assert.match(texts(finding), NOT_MORE);
  assert.ok(registry.count('manifest') <= 102, `${registry.count('manifest')} manifests`);
});

test('a bundle of a hundred megabytes is refused without a request for it', async (t) => {
  const registry = await FakeRegistry.start(t);
  const layer = { blob: Buffer.from('{}'), mediaType: BUNDLE_TYPE, size: 100 * 1024 * 1024 };
  registry.push('app', artifactImage([layer], BUNDLE_TYPE, app));
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'METADATA_INVALID');
  assert.match(finding.message, /expected at most 1048576 bytes, got 104857600/);
  assert.equal(registry.count('blob'), 0);
});

test('a blob that is larger than it was said to be is not read on', async (t) => {
  const registry = await FakeRegistry.start(t);
  const blob = Buffer.from('{}');
  registry.push('app', artifactImage([{ blob, mediaType: BUNDLE_TYPE }], BUNDLE_TYPE, app));
  registry.spoil({ kind: 'blob' }, { endless: true });
  assert.notEqual((await judged(t, registry)).outcome, 'vouched');
});

test('bytes under another digest are no signature', async (t) => {
  const registry = await FakeRegistry.start(t);
  const bundle = await publisher.statement(imageStatement(app.digest));
  const good = bundleImage(bundle, app);
  registry.push('app', good);
  // The same length, and a good signature: only the digest tells.
  const [digest] = good.layers;
  assert.ok(digest);
  const blob = Buffer.from(good.blobs.get(digest) ?? '');
  registry.replace('app', digest, Buffer.concat([blob.subarray(0, -1), Buffer.from(' ')]));
  const other = await judged(t, registry);
  assert.ok(other.outcome === 'refused' && other.reason === 'METADATA_MISMATCH', texts(other));
  registry.replace('app', digest, blob);
  registry.replace('app', good.digest, Buffer.concat([good.bytes, Buffer.from('\n')]));
  const manifest = await judged(t, registry);
  assert.ok(manifest.outcome === 'refused' && manifest.reason === 'METADATA_MISMATCH', texts(manifest));
});

test('a thousand layers of a signature tag cost no more than a hundred, the newest of them', async (t) => {
  const registry = await FakeRegistry.start(t);
  const stranger = await publisher.legacy(simpleSigning(app.digest), { key: ecKey() });
  const right = await publisher.legacy(simpleSigning(app.digest));
  const many = Array.from({ length: 1000 }, () => stranger);
  registry.push('app', legacyImage(right, ...many), signatureTag(app, '.sig'));
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'KEY_NOT_TRUSTED');
  assert.match(texts(finding), NOT_MORE);
  registry.push('app', legacyImage(...many, right), signatureTag(app, '.sig'));
  assert.equal((await judged(t, registry)).outcome, 'vouched');
});

test('all signatures of an image together are bounded, too', async (t) => {
  const registry = await FakeRegistry.start(t);
  const padding = (at: number) => Buffer.alloc(1024 * 1024, `${at} `);
  const layers = Array.from({ length: 20 }, (_, at) => ({ blob: padding(at), mediaType: BUNDLE_TYPE }));
  registry.push('app', artifactImage(layers, BUNDLE_TYPE, app));
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'METADATA_INVALID');
  assert.match(texts(finding), /the signatures of one image: expected at most 16777216 bytes together/);
  assert.ok(registry.count('blob') <= 16);
});

test('a registry that never ends its answer is an outage, not an unsigned image', async (t) => {
  const registry = await FakeRegistry.start(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  registry.spoil({ kind: 'referrers' }, { hangUntil: promise });
  const finding = await judged(t, registry, 50);
  resolve();
  assert.ok(finding.outcome === 'undetermined' && finding.reason === 'TRUST_UNREACHABLE');
  assert.match(finding.message, /no complete answer in time/);
});

test('a digest that no list of referrers was asked for is not believed from its tag', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.spoil({ kind: 'referrers' }, { status: 404 });
  registry.push('app', artifactImage([{ blob: Buffer.from('x'), mediaType: 'text/plain' }]), signatureTag(app));
  const finding = await judged(t, registry);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'NOT_SIGNED', digestOf(Buffer.from(texts(finding))));
});
