import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const LAYER = Buffer.alloc(200_000, 'x');

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image({ layers: [LAYER] });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  return { registry, gateway, path: `${gateway.url}/v2/corp/app/blobs/${app.layers[0]}` };
}

/** What the layer begins with, so that no byte is wrong: there are only too many. */
for (const [what, headers] of [
  ['without a length', {}],
  ['with the right length and bytes behind it', { 'content-length': `${LAYER.byteLength}` }],
  ['with an endless length', { 'content-length': `${Number.MAX_SAFE_INTEGER}` }],
] as const) {
  test(`a blob without end, ${what}, is read no further than its size and never arrives as more`, async (t) => {
    const { registry, gateway, path } = await start(t);
    await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
    registry.spoil({ kind: 'blob' }, { endless: true, headers });
    const answer = await receive(path);
    assert.ok(answer.body.byteLength <= LAYER.byteLength);
    if (answer.status === 200 && answer.whole) assert.deepEqual(answer.body, LAYER, 'whole only if it is the blob');
    else assert.ok(answer.body.byteLength < LAYER.byteLength);
    const { free } = await gatewayState(gateway);
    assert.ok(free, 'the gateway still answers');
  });
}

test('a blob whose bytes never stop and are not its own never arrives whole', async (t) => {
  const { registry, gateway, path } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  registry.spoil({ kind: 'blob' }, { endless: true, body: 'y' });
  const answer = await receive(path);
  assert.ok(!answer.whole || answer.status !== 200);
});

test('a manifest without end is an error of the upstream', async (t) => {
  const { registry, gateway } = await start(t);
  registry.spoil({ kind: 'manifest' }, { endless: true });
  const answer = await request(gateway.url).get('/v2/corp/app/manifests/1');
  assert.equal(told(answer), '502 UNAVAILABLE UPSTREAM_BAD_ANSWER');
});

test('a list of tags or referrers without end is an error of the upstream', async (t) => {
  const { registry, gateway } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  registry.spoil({ kind: 'tags' }, { endless: true });
  registry.spoil({ kind: 'referrers' }, { endless: true });
  const { digest } = image({ layers: [LAYER] });
  for (const path of ['/v2/corp/app/tags/list', `/v2/corp/app/referrers/${digest}`]) {
    assert.equal(told(await request(gateway.url).get(path)), '502 UNAVAILABLE UPSTREAM_BAD_ANSWER');
  }
});

async function gatewayState(gateway: TestGateway) {
  const { status } = await request(gateway.url).get('/v2/');
  return { free: status === 200 };
}
