import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';

test('a tag moved in the registry after signing still means the signed digest; what it was moved to is refused', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const signed = image();
  const moved = image({ layers: ['somebody else'] });
  registry.push('app', signed, '1');
  gateway.signed.sign('corp/app', '1', signed.digest);
  registry.push('app', moved, '1');
  const pulled = await request(gateway.url).get('/v2/corp/app/manifests/1').buffer(true).expect(200);
  assert.equal(pulled.headers['docker-content-digest'], signed.digest);
  const refused = await request(gateway.url).get(`/v2/corp/app/manifests/${moved.digest}`).expect(403);
  assert.equal(refused.body.errors[0].detail.reason, 'DIGEST_NOT_SIGNED');
});
