import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';

const LAYER = Buffer.alloc(1_000_000, 'layer');

for (const where of ['first', 'middle', 'last'] as const) {
  test(`a blob tampered with in its ${where} byte never arrives whole and is not kept`, async (t) => {
    const registry = await FakeRegistry.start(t);
    const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
    const app = image({ layers: [LAYER] });
    registry.push('app', app, '1');
    gateway.signed.sign('corp/app', '1', app.digest);
    await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
    const path = `${gateway.url}/v2/corp/app/blobs/${app.layers[0]}`;

    const stop = registry.spoil({ kind: 'blob' }, { tamper: where });
    const spoilt = await receive(path);
    assert.ok(!spoilt.whole || spoilt.status !== 200, 'the client cannot take it for the blob');
    assert.ok(spoilt.body.byteLength < LAYER.byteLength);

    stop();
    const good = await receive(path);
    assert.equal(good.status, 200);
    assert.ok(good.whole);
    assert.deepEqual(good.body, LAYER);
  });
}
