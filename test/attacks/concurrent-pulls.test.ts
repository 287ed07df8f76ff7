import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';

const AT_ONCE = 50;

test('many pulls at once of an image that is refused are all refused, and ask the upstream nothing', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', image(), '1');
  const pulls = Array.from({ length: AT_ONCE }, () => request(gateway.url).get('/v2/corp/app/manifests/1'));
  assert.deepEqual(new Set((await Promise.all(pulls)).map(({ status }) => status)), new Set([403]));
  assert.equal(registry.requests.length, 0);
});

test('many pulls at once of a signed image whose bytes are bad are all refused after one fetch', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image();
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  registry.replace('app', app.digest, Buffer.from('{}'));
  const pulls = Array.from({ length: AT_ONCE }, () => request(gateway.url).get('/v2/corp/app/manifests/1'));
  assert.deepEqual(new Set((await Promise.all(pulls)).map(({ status }) => status)), new Set([403]));
  assert.equal(registry.count('manifest'), 1);
});
