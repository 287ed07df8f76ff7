/** harbor#20157, and the endless-data advisories of Notation: an upstream whose Content-Length is not that of its body. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { digestOf } from '../../oci/digest.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const LAYER = Buffer.alloc(20_000, 'layer');
const app = image({ layers: [LAYER] });

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, limits: { idle: 50, firstByte: 50 } });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  const manifest = () => receive(`${gateway.url}/v2/corp/app/manifests/1`);
  const blob = () => receive(`${gateway.url}/v2/corp/app/blobs/${app.layers[0]}`);
  return { registry, gateway, manifest, blob };
}

const BAD_ANSWER = '502 UNAVAILABLE UPSTREAM_BAD_ANSWER';
/** What is cut is not the manifest; what comes behind it is no HTTP. Which of the two is seen first is the network's to say. */
const CUT = `403 DENIED CONTENT_MISMATCH or ${BAD_ANSWER}`;
const TIMED_OUT = '504 UNAVAILABLE UPSTREAM_TIMED_OUT';

/** Of a blob the manifest says the size, so that another length is found out before a byte is read. */
for (const [what, lengthOf, ofManifest, ofBlob] of [
  ['one byte too long', (size: number) => `${size + 1}`, TIMED_OUT, BAD_ANSWER],
  ['one byte too short', (size: number) => `${size - 1}`, CUT, BAD_ANSWER],
  ['zero', () => '0', CUT, BAD_ANSWER],
  ['absent', () => undefined, '200', '200'],
  ['negative', () => '-1', BAD_ANSWER, BAD_ANSWER],
  ['no number', () => 'many', BAD_ANSWER, BAD_ANSWER],
  ['hexadecimal', (size: number) => `0x${size.toString(16)}`, BAD_ANSWER, BAD_ANSWER],
  ['a fraction', (size: number) => `${size}.0`, BAD_ANSWER, BAD_ANSWER],
  ['beyond any number', () => '9'.repeat(40), BAD_ANSWER, BAD_ANSWER],
  ['as large as a number can be', () => `${Number.MAX_SAFE_INTEGER}`, BAD_ANSWER, BAD_ANSWER],
  ['sent twice, alike', (size: number) => [`${size}`, `${size}`], BAD_ANSWER, BAD_ANSWER],
  ['two different ones', (size: number) => [`${size}`, `${size + 1}`], BAD_ANSWER, BAD_ANSWER],
] as const) {
  test(`a length that is ${what}: a manifest is ${ofManifest}, a blob ${ofBlob}, and only what is right is kept`, async (t) => {
    const { registry, gateway, manifest, blob } = await start(t);
    const headersFor = (size: number) => ({ headers: { 'content-length': lengthOf(size) } });
    const stopManifest = registry.spoil({ kind: 'manifest' }, headersFor(app.bytes.byteLength));
    assert.ok(ofManifest.split(' or ').includes(told(await manifest())));
    stopManifest();
    gateway.advance(1000);
    const good = await manifest();
    assert.deepEqual([good.status, good.body], [200, app.bytes]);

    const kept = gateway.store.count;
    const stopBlob = registry.spoil({ kind: 'blob' }, headersFor(LAYER.byteLength));
    const answer = await blob();
    assert.equal(told(answer), ofBlob);
    assert.equal(answer.whole && answer.status === 200, ofBlob === '200');
    assert.equal(gateway.store.count, ofBlob === '200' ? kept + 1 : kept);
    stopBlob();
    assert.deepEqual((await blob()).body, LAYER);
  });
}

for (const [what, headers, expected] of [
  ['an offset of its own', { 'content-range': `bytes 1-${LAYER.byteLength - 1}/${LAYER.byteLength}` }, BAD_ANSWER],
  ['no range at all', { 'content-range': undefined }, BAD_ANSWER],
] as const) {
  test(`a part of a blob, unasked, with ${what}, is a bad answer`, async (t) => {
    const { registry, manifest, blob } = await start(t);
    await manifest();
    registry.spoil({ kind: 'blob' }, { status: 206, headers });
    assert.equal(told(await blob()), expected);
  });
}

test('a manifest that lists a wrong size of its blob has no blob of that size, whatever the upstream sends', async (t) => {
  const { registry, gateway } = await start(t);
  const size = LAYER.byteLength + 1;
  const lying = Buffer.from(app.bytes.toString().replace(`"size":${LAYER.byteLength}`, `"size":${size}`));
  const evil = { ...image(), bytes: lying, digest: digestOf(lying) };
  registry.push('app', evil, 'evil');
  registry.pushBlob('app', LAYER);
  gateway.signed.sign('corp/app', 'evil', evil.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/evil').expect(200);
  const path = `${gateway.url}/v2/corp/app/blobs/${app.layers[0]}`;
  assert.equal(told(await receive(path)), BAD_ANSWER);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  assert.deepEqual((await receive(path)).body, LAYER, 'the honest manifest is not spoilt for the others');
});
