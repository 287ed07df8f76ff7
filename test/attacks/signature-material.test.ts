/** What is no image is passed on without anybody vouching for it: so nothing that could run may look like it. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_MANIFEST } from '../../oci/media-type.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { SIGNED, TestGateway } from '../support/gateway.ts';
import { annotatedIndex, artifactImage, BUNDLE_TYPE, bundleImage, signatureTag } from '../support/signature-images.ts';
import { told } from '../support/told.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const PROGRAM = gzipSync(Buffer.from('a layer with a program in it'));
const app = image({ layers: [PROGRAM] });
const evil = { config: { evil: true }, layers: ['of an evil image'], artifactType: BUNDLE_TYPE, subject: app };
const bundle = bundleImage({ mediaType: BUNDLE_TYPE }, app);
const signatures = artifactImage([{ blob: Buffer.from('{}\n'), mediaType: SIMPLE_SIGNING }]);

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const rules = [{ images: 'corp/ap*', ...SIGNED }];
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, rules });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  const get = (path: string, repository = 'app') =>
    request(gateway.url).get(`/v2/corp/${repository}/${path}`).buffer(true);
  const head = (path: string) => request(gateway.url).head(`/v2/corp/app/${path}`);
  /** Has the list name it, which the list takes from the upstream, and asks for it by its digest. */
  const listed = async (manifest: MemoryImage) => {
    registry.push('app', manifest);
    const list = await get(`referrers/${app.digest}`).expect(200);
    assert.ok(list.text.includes(manifest.digest), 'the list names it');
    return await get(`manifests/${manifest.digest}`);
  };
  return { registry, gateway, get, head, listed };
}

/** An image's config under any name, and layers that say what they are told to. */
function disguised(configType: string, layerType: string, layer: Buffer, subject?: MemoryImage): MemoryImage {
  const config = Buffer.from('{"config":{"Cmd":["steal"]},"rootfs":{"type":"layers","diff_ids":[]}}');
  const entry = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.byteLength });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      ...(subject === undefined ? {} : { artifactType: BUNDLE_TYPE }),
      config: entry(configType, config),
      layers: [entry(layerType, layer)],
      ...(subject === undefined ? {} : { subject: entry(OCI_MANIFEST, subject.bytes) }),
    }),
  );
  const blobs = new Map([config, layer].map((blob) => [digestOf(blob), blob]));
  const parts = {
    layers: [digestOf(layer)],
    children: [],
    ...(subject === undefined ? {} : { subject: subject.digest }),
  };
  return { mediaType: OCI_MANIFEST, bytes, digest: digestOf(bytes), blobs, artifactType: BUNDLE_TYPE, ...parts };
}

const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const EMPTY = 'application/vnd.oci.empty.v1+json';

for (const [what, manifest] of [
  ['an image that says it refers to it', image(evil)],
  ['an image with the layers of a signature', disguised(IMAGE_CONFIG, SIMPLE_SIGNING, PROGRAM, app)],
  ['a bundle that is a layer with a program', disguised(EMPTY, BUNDLE_TYPE, gzipSync('another program'), app)],
  ["a bundle that is one of the image's own layers", disguised(EMPTY, BUNDLE_TYPE, PROGRAM, app)],
] satisfies [string, MemoryImage][]) {
  test(`a forged subject does not bring in ${what}`, async (t) => {
    const { get, head, listed } = await start(t);
    assert.equal(told(await listed(manifest)), '403 DENIED DIGEST_NOT_SIGNED');
    await head(`manifests/${manifest.digest}`).expect(403);
    await get(`blobs/${manifest.blobs.keys().next().value}`).expect(403);
  });
}

for (const [what, ending, manifest] of [
  ['an image', '.sig', image({ config: { evil: true }, layers: ['evil'] })],
  [
    "an image with the admitted one's layers, and another command",
    '.sig',
    disguised(IMAGE_CONFIG, SIMPLE_SIGNING, PROGRAM),
  ],
  ['an image whose layers are called signatures', '.att', disguised(IMAGE_CONFIG, SIMPLE_SIGNING, gzipSync('evil'))],
  ['an index of images', '', index([image(evil)])],
  ['a list with an image in it', '', annotatedIndex([{ image: bundle }, { image: image({ layers: ['evil'] }) }])],
] satisfies [string, string, MemoryImage][]) {
  test(`under a tag made of an admitted digest is refused: ${what}`, async (t) => {
    const { registry, get, head } = await start(t);
    registry.push('app', manifest, signatureTag(app, ending));
    assert.equal(told(await get(`manifests/${signatureTag(app, ending)}`)), '403 DENIED TAG_NOT_SIGNED');
    await head(`manifests/${signatureTag(app, ending)}`).expect(403);
    await get(`manifests/${manifest.digest}`).expect(403);
    for (const blob of manifest.blobs.keys()) if (blob !== app.layers[0]) await get(`blobs/${blob}`).expect(403);
  });
}

test('what the fallback tag lists is no more than what a list names: an image among it stays refused', async (t) => {
  const { registry, get } = await start(t);
  const lie = annotatedIndex([{ image: image(evil) }]);
  registry.push('app', lie, signatureTag(app));
  await get(`manifests/${signatureTag(app)}`).expect(200);
  assert.equal(told(await get(`manifests/${image(evil).digest}`)), '403 DENIED DIGEST_NOT_SIGNED');
});

test('an oversized bundle is refused, and none of it is fetched', async (t) => {
  const { registry, listed } = await start(t);
  const layer = { blob: Buffer.from('{}\n'), mediaType: BUNDLE_TYPE, size: 16 * 1024 * 1024 };
  assert.equal(told(await listed(artifactImage([layer], BUNDLE_TYPE, app))), '403 DENIED DIGEST_NOT_SIGNED');
  assert.equal(registry.count('blob'), 0);
});

test('other bytes than the digest says are no signature material: neither the manifest, nor a blob', async (t) => {
  const { registry, get, listed } = await start(t);
  registry.push('app', bundle);
  registry.replace('app', bundle.digest, bundleImage({ other: true }, app).bytes);
  await get(`referrers/${app.digest}`).expect(200);
  assert.equal(told(await get(`manifests/${bundle.digest}`)), '403 DENIED DIGEST_NOT_SIGNED');
  const second = bundleImage({ second: true }, app);
  registry.spoil({ kind: 'blob' }, { tamper: 'last' });
  assert.equal(told(await listed(second)), '403 DENIED CONTENT_MISMATCH');
  await get(`blobs/${second.layers[0]}`).expect(403);
});

test('signature material is that of its own repository only', async (t) => {
  const { registry, gateway, get, listed } = await start(t);
  await listed(bundle);
  registry.push('apart', bundle, signatureTag(app));
  registry.push('apart', signatures, signatureTag(app, '.sig'));
  for (const path of [
    `manifests/${bundle.digest}`,
    `manifests/${signatureTag(app, '.sig')}`,
    `blobs/${bundle.layers[0]}`,
    `referrers/${app.digest}`,
  ]) {
    assert.match(told(await get(path, 'apart')), /^403 DENIED /, path);
  }
  // Also where an image of that repository has been admitted.
  const other = image({ layers: ['other'] });
  registry.push('apart', other, '1');
  gateway.signed.sign('corp/apart', '1', other.digest);
  await get('manifests/1', 'apart').expect(200);
  await get(`referrers/${other.digest}`, 'apart').expect(200);
  assert.match(told(await get(`manifests/${bundle.digest}`, 'apart')), /^403 DENIED /);
});

test('what was passed on for one repository is not served for another, where the same image is admitted', async (t) => {
  const { registry, gateway, get, listed } = await start(t);
  assert.equal(told(await listed(bundle)), '200');
  registry.push('apart', app, '1');
  gateway.signed.sign('corp/apart', '1', app.digest);
  await get('manifests/1', 'apart').expect(200);
  assert.equal(told(await get(`manifests/${bundle.digest}`, 'apart')), '403 DENIED DIGEST_NOT_SIGNED');
  assert.equal(told(await get(`blobs/${bundle.layers[0]}`, 'apart')), '403 DENIED NOT_ADMITTED');
});

test('a list of one image does not lead to what refers to another', async (t) => {
  const { registry, get } = await start(t);
  const refused = image({ layers: ['refused'] });
  const about = bundleImage({ about: 'refused' }, refused);
  registry.push('app', annotatedIndex([{ image: about }]), signatureTag(app));
  await get(`manifests/${signatureTag(app)}`).expect(200);
  assert.equal(told(await get(`manifests/${about.digest}`)), '403 DENIED DIGEST_NOT_SIGNED');
});

test('the signatures of what is not admitted are refused as it is, and not asked for', async (t) => {
  const { registry, gateway, get } = await start(t);
  registry.push('app', signatures, signatureTag(app, '.sig'));
  await get(`manifests/${signatureTag(app, '.sig')}`).expect(200);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(2000);
  const before = registry.requests.length;
  for (const reference of [signatureTag(app), signatureTag(app, '.sig'), signatures.digest]) {
    assert.equal(told(await get(`manifests/${reference}`)), '403 DENIED DIGEST_NOT_SIGNED');
  }
  gateway.advance(2000);
  gateway.signed.unreachable = true;
  assert.equal(told(await get(`manifests/${signatureTag(app, '.sig')}`)), '503 UNAVAILABLE TRUST_UNREACHABLE');
  assert.equal(registry.requests.length, before);
});

test('where no rule covers the repository there is no signature material either, and nothing is asked for', async (t) => {
  const { registry, get } = await start(t);
  for (const path of [`manifests/${signatureTag(app, '.sig')}`, `manifests/${bundle.digest}`]) {
    assert.equal(told(await get(path, 'other')), '403 DENIED NO_RULE');
  }
  assert.equal(registry.requests.length, 0);
});

test('a digest that no list led to is not fetched to see whether it is signature material', async (t) => {
  const { registry, get } = await start(t);
  registry.push('app', bundle);
  await get('manifests/1').expect(200);
  const before = registry.requests.length;
  assert.equal(told(await get(`manifests/${bundle.digest}`)), '403 DENIED DIGEST_NOT_SIGNED');
  assert.equal(registry.requests.length, before);
});

test('a signature lends the image no layer, and an image is not harmed by a size that a signature states', async (t) => {
  const { gateway, get, listed } = await start(t);
  await get('manifests/1').expect(200);
  await listed(bundle);
  assert.equal(gateway.admissions.knows({ upstream: 'corp', repository: 'app' } as never, bundle.digest), false);
  const [layer = app.digest] = app.layers;
  const forged = artifactImage([{ blob: PROGRAM, mediaType: BUNDLE_TYPE, size: 5 }], BUNDLE_TYPE, app);
  assert.match(told(await listed(forged)), /^(403 DENIED|502 UNAVAILABLE) /);
  await get(`blobs/${layer}`).expect(200);
});
