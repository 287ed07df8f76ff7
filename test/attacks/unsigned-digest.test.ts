import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';

test('the digest of a manifest that was never signed is refused, and never fetched', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image();
  registry.push('app', app, '1');
  for (const method of ['get', 'head'] as const) {
    await request(gateway.url)[method](`/v2/corp/app/manifests/${app.digest}`).expect(403);
  }
  assert.equal(registry.requests.length, 0);
});

test('a digest admitted for one repository is refused for another', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image();
  registry.push('app', app, '1');
  registry.push('other', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  await request(gateway.url).get(`/v2/corp/app/manifests/${app.digest}`).expect(200);
  await request(gateway.url).get(`/v2/corp/other/manifests/${app.digest}`).expect(403);
});

test('a child is admitted through its signed index, here only, and no longer than the index is', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const child = image({ layers: ['of the child'] });
  const multi = index([child]);
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  await request(gateway.url).get(`/v2/corp/app/manifests/${child.digest}`).expect(200);
  await request(gateway.url).get(`/v2/corp/app/blobs/${child.layers[0]}`).expect(200);
  await request(gateway.url).get(`/v2/corp/other/manifests/${child.digest}`).expect(403);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(2000);
  await request(gateway.url).get(`/v2/corp/app/manifests/${child.digest}`).expect(403);
});
