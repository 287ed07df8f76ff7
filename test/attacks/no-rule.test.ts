import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { SIGNED, TestGateway } from '../support/gateway.ts';

test('what no rule covers is refused before anyone is asked, whatever headers the client sends', async (t) => {
  const registry = await FakeRegistry.start(t);
  const rules = [
    { images: 'corp/open', unsafeAllowUnsigned: true },
    { images: 'corp/signed/**', ...SIGNED },
  ];
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, rules });
  const app = image();
  registry.push('secret', app, '1');
  registry.push('signed/app', app, '1');
  const sent: readonly Record<string, string>[] = [
    {},
    { 'User-Agent': 'cosign/v2.0' },
    { 'User-Agent': 'notation/1.0' },
    { 'X-Forwarded-Host': 'corp/open', 'X-Original-URL': '/v2/corp/open/manifests/1' },
    { 'OCI-Namespace': 'corp/open', Authorization: 'Basic YWRtaW46YWRtaW4=' },
    { Host: 'corp' },
  ];
  for (const headers of sent) {
    const none = await request(gateway.url).get('/v2/corp/secret/manifests/1').set(headers).expect(403);
    assert.equal(none.body.errors[0].detail.reason, 'NO_RULE');
    await request(gateway.url).get('/v2/corp/secret/tags/list').set(headers).expect(403);
    await request(gateway.url).get(`/v2/corp/secret/blobs/${app.layers[0]}`).set(headers).expect(403);
    await request(gateway.url).get('/v2/corp/signed/app/manifests/1').set(headers).expect(403);
  }
  assert.equal(registry.requests.length, 0);
});

test('everything that writes is answered 405 UNSUPPORTED', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  for (const method of ['post', 'put', 'patch', 'delete'] as const) {
    for (const path of ['/v2/corp/app/blobs/uploads/', '/v2/corp/app/manifests/1']) {
      const answer = await request(gateway.url)[method](path).expect(405);
      assert.equal(answer.body.errors[0].code, 'UNSUPPORTED');
    }
  }
  assert.equal(registry.requests.length, 0);
});
