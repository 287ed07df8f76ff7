/** Clients behind the gateway verify for themselves: cosign, Kyverno, podman and CRI-O, Docker with its containerd image store. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';
import { annotatedIndex, artifactImage, BUNDLE_TYPE, bundleImage, signatureTag } from '../support/signature-images.ts';
import { told } from '../support/told.ts';

const HOUR = 3_600_000;
const app = image({ layers: ['of the app'] });
const bundle = bundleImage({ mediaType: BUNDLE_TYPE }, app);
const SIGNATURE = '{"critical":{"type":"cosign container image signature"}}';
const signatures = artifactImage([
  { blob: Buffer.from(SIGNATURE), mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' },
]);
const IN_TOTO = 'application/vnd.in-toto+json';

async function start(t: TestContext, { mirror = false } = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  const url = mirror ? gateway.mirrorUrl : gateway.url;
  const get = (path: string) => request(url).get(`/v2/corp/app/${path}`).buffer(true);
  const head = (path: string) => request(url).head(`/v2/corp/app/${path}`);
  return { registry, gateway, get, head };
}

for (const mirror of [false, true]) {
  const where = mirror ? ', through a mirror' : '';

  test(`the bundle of an admitted image: its list, its manifest, its blob${where}`, async (t) => {
    const { registry, get, head } = await start(t, { mirror });
    registry.push('app', bundle);
    const list = await get(`referrers/${app.digest}`).expect(200);
    const [{ digest }] = JSON.parse(list.text).manifests;
    assert.equal(digest, bundle.digest);
    const headed = await head(`manifests/${digest}`).expect(200);
    assert.equal(headed.headers['docker-content-digest'], bundle.digest);
    const manifest = await get(`manifests/${digest}`).expect(200);
    assert.equal(manifest.text, bundle.bytes.toString());
    assert.equal(manifest.headers['docklock-signature-material-of'], app.digest);
    await head(`blobs/${bundle.layers[0]}`).expect(200);
    await get(`blobs/${bundle.layers[0]}`).set('Range', 'bytes=0-4').expect(206);
    const blob = await get(`blobs/${bundle.layers[0]}`).expect(200);
    assert.equal(blob.body.toString(), JSON.stringify({ mediaType: BUNDLE_TYPE }));
  });

  test(`cosign's tags of an admitted image: the manifest by tag and by its digest, and its blob${where}`, async (t) => {
    const { registry, get, head } = await start(t, { mirror });
    for (const ending of ['.sig', '.att']) {
      registry.push('app', signatures, signatureTag(app, ending));
      const headed = await head(`manifests/${signatureTag(app, ending)}`).expect(200);
      assert.equal(headed.headers['docker-content-digest'], signatures.digest);
      await get(`manifests/${signatures.digest}`).expect(200);
      const manifest = await get(`manifests/${signatureTag(app, ending)}`).expect(200);
      assert.equal(manifest.text, signatures.bytes.toString());
      const blob = await get(`blobs/${signatures.layers[0]}`).expect(200);
      assert.equal(blob.body.toString(), SIGNATURE);
    }
  });
}

test('the fallback tag is a list like another, and leads to what it lists', async (t) => {
  const { registry, get } = await start(t);
  const list = annotatedIndex([{ image: bundle }]);
  registry.push('app', list, signatureTag(app));
  const answer = await get(`manifests/${signatureTag(app)}`).expect(200);
  assert.equal(answer.text, list.bytes.toString());
  await get(`manifests/${bundle.digest}`).expect(200);
  await get(`blobs/${bundle.layers[0]}`).expect(200);
});

test('an admitted image without signatures: no referrers, and nothing under the tags', async (t) => {
  const { get } = await start(t);
  const list = await get(`referrers/${app.digest}`).expect(200);
  assert.deepEqual(JSON.parse(list.text).manifests, []);
  for (const ending of ['', '.sig', '.att', '.sbom']) {
    assert.equal(told(await get(`manifests/${signatureTag(app, ending)}`)), '404 MANIFEST_UNKNOWN', ending);
  }
});

test("the signature of an index's attestation, which Docker looks for while it pulls", async (t) => {
  const { registry, gateway, get } = await start(t);
  const attestation = artifactImage([{ blob: Buffer.from('{}'), mediaType: IN_TOTO }]);
  const top = index([app, attestation]);
  const signature = bundleImage({ of: 'the attestation' }, attestation);
  registry.push('app', top, '2');
  registry.push('app', signature);
  gateway.signed.sign('corp/app', '2', top.digest);
  await get('manifests/2').expect(200);
  await get(`manifests/${attestation.digest}`).expect(200);
  await get(`referrers/${attestation.digest}`).expect(200);
  await get(`manifests/${signature.digest}`).expect(200);
  await get(`blobs/${signature.layers[0]}`).expect(200);
});

test('a pull of signature material that began is allowed to finish, and no more', async (t) => {
  const { registry, gateway, get } = await start(t);
  registry.push('app', bundle);
  await get(`referrers/${app.digest}`).expect(200);
  await get(`manifests/${bundle.digest}`).expect(200);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(2000);
  assert.equal(told(await get(`manifests/${bundle.digest}`)), '403 DENIED DIGEST_NOT_SIGNED');
  await get(`blobs/${bundle.layers[0]}`).expect(200);
  gateway.advance(HOUR);
  assert.equal(told(await get(`blobs/${bundle.layers[0]}`)), '403 DENIED DIGEST_NOT_SIGNED');
});

test('what an admitted image lists is served, though signature material listed it too and its subject is no longer admitted', async (t) => {
  const { registry, gateway, get } = await start(t);
  const chart = artifactImage([{ blob: Buffer.from('a chart'), mediaType: 'application/vnd.example.chart' }]);
  const empty = [...chart.blobs.keys()][0];
  registry.push('app', chart, 'chart');
  registry.push('app', bundle);
  gateway.signed.sign('corp/app', 'chart', chart.digest);
  await get('manifests/chart').expect(200);
  await get(`referrers/${app.digest}`).expect(200);
  await get(`manifests/${bundle.digest}`).expect(200);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(HOUR);
  await get(`blobs/${empty}`).expect(200);
  assert.equal(told(await get(`blobs/${bundle.layers[0]}`)), '403 DENIED DIGEST_NOT_SIGNED');
});

test('many who ask for one signature at once cost one fetch of its manifest and one of each blob', async (t) => {
  const { registry, get } = await start(t);
  registry.push('app', signatures, signatureTag(app, '.sig'));
  await Promise.all(
    Array.from({ length: 30 }, async () => await get(`manifests/${signatureTag(app, '.sig')}`).expect(200)),
  );
  assert.equal(registry.count('manifest'), 1);
  assert.equal(registry.count('blob'), 1);
});

test('a tag that signed metadata names is the image it names, whatever it looks like', async (t) => {
  const { registry, gateway, get } = await start(t);
  const signed = image({ layers: ['signed under an odd tag'] });
  registry.push('app', signed);
  registry.push('app', signatures, signatureTag(app, '.sig'));
  gateway.signed.sign('corp/app', signatureTag(app, '.sig'), signed.digest);
  const answer = await get(`manifests/${signatureTag(app, '.sig')}`).expect(200);
  assert.equal(answer.headers['docker-content-digest'], signed.digest);
});
