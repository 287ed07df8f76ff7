import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const LAYER = Buffer.alloc(300_000, 'layer');

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image({ layers: [LAYER] });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  const kept = gateway.store.count;
  return { registry, gateway, kept, path: `${gateway.url}/v2/corp/app/blobs/${app.layers[0]}` };
}

for (const [what, cutAfter] of [
  ['before its first byte', 0],
  ['in its middle', 150_000],
  ['before its last byte', LAYER.byteLength - 1],
] as const) {
  test(`a blob that is cut ${what}, each time, never arrives whole and is not kept`, async (t) => {
    const { registry, gateway, kept, path } = await start(t);
    // The same cut at every offset, so that asking for the rest brings nothing.
    const stop = registry.spoil({ kind: 'blob' }, { cutAfter, ignoreRange: true });
    const cut = await receive(path);
    assert.ok(!cut.whole || cut.status !== 200, 'the client cannot take it for the blob');
    assert.ok(cut.body.byteLength < LAYER.byteLength);
    assert.equal(gateway.store.count, kept);

    stop();
    assert.deepEqual((await receive(path)).body, LAYER);
  });
}

test('a blob that is cut once arrives whole: the rest is asked for', async (t) => {
  const { registry, path } = await start(t);
  registry.spoil({ kind: 'blob' }, { cutAfter: 150_000 }, 1);
  const answer = await receive(path);
  assert.ok(answer.whole);
  assert.deepEqual(answer.body, LAYER);
  // How much of it arrived before the cut is the network's to say.
  assert.equal(registry.count('blob'), 2);
});

test('a blob that ends early as if that were all of it is an error of the upstream, before a byte of it is served', async (t) => {
  const { registry, path } = await start(t);
  registry.spoil({ kind: 'blob' }, { body: LAYER.subarray(0, -1) });
  const answer = await receive(path);
  assert.equal(told({ ...answer }), '502 UNAVAILABLE UPSTREAM_BAD_ANSWER');
  registry.spoil({ kind: 'blob' }, { body: LAYER.subarray(0, -1), headers: { 'content-length': undefined } });
  const unsized = await receive(path);
  assert.ok(!unsized.whole || unsized.status !== 200);
  assert.ok(unsized.body.byteLength < LAYER.byteLength);
});
