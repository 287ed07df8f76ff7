import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { told } from '../support/told.ts';

/** CVE-2026-85747: a proxy kept what its upstream sent for a digest, and served it from then on. */
const MISMATCH = '403 DENIED CONTENT_MISMATCH';
const APP = '/v2/corp/app/manifests';

async function start(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  const app = image({ layers: ['the app'] });
  const evil = image({ layers: ['not the app'] });
  registry.push('app', app, '1');
  registry.push('app', evil, 'evil');
  gateway.signed.sign('corp/app', '1', app.digest);
  return { registry, gateway, app, evil };
}

const evil = image({ layers: ['not the app'] });
const app = image({ layers: ['the app'] });

for (const [what, fault] of [
  ['another image', { body: evil.bytes }],
  ['another image, and says so', { body: evil.bytes, headers: { 'docker-content-digest': evil.digest } }],
  ['a changed first byte', { tamper: 'first' }],
  ['a changed last byte', { tamper: 'last' }],
  ['one byte less', { body: app.bytes.subarray(0, -1) }],
  ['one byte more', { body: `${app.bytes} ` }],
  ['nothing', { body: '' }],
  ['the same in a media type of its own', { body: evil.bytes, headers: { 'content-type': 'text/html' } }],
] satisfies [string, Fault][]) {
  test(`an upstream that serves ${what} for a signed digest is refused by tag and digest, and nothing is kept`, async (t) => {
    const { registry, gateway } = await start(t);
    const stop = registry.spoil({ kind: 'manifest', method: 'GET' }, fault);
    for (const reference of ['1', app.digest]) {
      assert.equal(told(await request(gateway.url).get(`${APP}/${reference}`)), MISMATCH);
      assert.equal((await request(gateway.url).head(`${APP}/${reference}`)).status, 403);
    }
    const layer = await request(gateway.url).get(`/v2/corp/app/blobs/${app.layers[0]}`);
    assert.equal(told(layer), '403 DENIED NOT_ADMITTED', 'what it lists was not admitted');
    assert.equal(gateway.store.count, 0);

    stop();
    gateway.advance(1000);
    const good = await request(gateway.url).get(`${APP}/1`).expect(200);
    assert.equal(good.text, app.bytes.toString());
  });
}

test('a child of a signed index that comes with other bytes is refused', async (t) => {
  const { registry, gateway, app, evil } = await start(t);
  const both = index([app, evil]);
  registry.push('app', both, 'multi');
  gateway.signed.sign('corp/app', 'multi', both.digest);
  gateway.signed.withdraw('corp/app', '1');
  await request(gateway.url).get(`${APP}/multi`).expect(200);
  registry.replace('app', app.digest, evil.bytes);
  assert.equal(told(await request(gateway.url).get(`${APP}/${app.digest}`)), MISMATCH);
  await request(gateway.url).get(`${APP}/${evil.digest}`).expect(200);
});

test('a manifest of another size than was signed is refused, also when its digest is right', async (t) => {
  const { gateway, app } = await start(t);
  gateway.signed.size = app.bytes.byteLength + 1;
  assert.equal(told(await request(gateway.url).get(`${APP}/1`)), MISMATCH);
});

test('without signatures too, an upstream that sends other bytes than the digest it gave is refused', async (t) => {
  const rules = [{ images: '**', unsafeAllowUnsigned: true }];
  const { registry, gateway, app, evil } = await start(t, { rules });
  registry.spoil({ kind: 'manifest', method: 'GET' }, { body: evil.bytes });
  assert.equal(told(await request(gateway.url).get(`${APP}/1`)), MISMATCH);
  assert.equal(told(await request(gateway.url).get(`${APP}/${app.digest}`)), MISMATCH);
});

test('a rule that only warns does not let other bytes through', async (t) => {
  const rules = [{ images: '**', mode: 'warn', require: { kind: 'all', authorities: ['signer'] } }] as const;
  const { registry, gateway, evil } = await start(t, { rules });
  registry.spoil({ kind: 'manifest', method: 'GET' }, { body: evil.bytes });
  for (const tag of ['1', 'unsigned']) {
    registry.push('app', app, tag);
    assert.equal(told(await request(gateway.url).get(`${APP}/${tag}`)), MISMATCH);
  }
});

test('an upstream that gives another digest for a digest is not believed', async (t) => {
  const rules = [{ images: '**', unsafeAllowUnsigned: true }];
  const { registry, gateway, app, evil } = await start(t, { rules });
  registry.spoil({ kind: 'manifest', method: 'HEAD' }, { headers: { 'docker-content-digest': evil.digest } });
  const answer = await request(gateway.url).get(`${APP}/${app.digest}`);
  assert.equal(told(answer), '502 UNAVAILABLE UPSTREAM_BAD_ANSWER');
});
