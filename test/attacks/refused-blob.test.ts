import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';

/** GHSA-4j4m-fchf-gr9r: manifests were judged, and blobs served to whoever knew their digest. */
async function start(t: Parameters<typeof FakeRegistry.start>[0]) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const signed = image({ layers: ['of the signed image'] });
  const unsigned = image({ layers: ['of the unsigned image'] });
  registry.push('app', signed, '1');
  registry.push('app', unsigned, '2');
  gateway.signed.sign('corp/app', '1', signed.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  return { registry, gateway, signed, unsigned };
}

test('a blob of a refused manifest is refused by GET, HEAD and Range, and never fetched', async (t) => {
  const { registry, gateway, unsigned } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/2').expect(403);
  const path = `/v2/corp/app/blobs/${unsigned.layers[0]}`;
  const got = await request(gateway.url).get(path).expect(403);
  assert.equal(got.body.errors[0].detail.reason, 'NOT_ADMITTED');
  await request(gateway.url).head(path).expect(403);
  await request(gateway.url).get(path).set('Range', 'bytes=0-0').expect(403);
  assert.equal(registry.count('blob'), 0);
});

test('a blob that was served for one repository is refused through another', async (t) => {
  const { registry, gateway, signed } = await start(t);
  registry.push('other', signed, '1');
  await request(gateway.url).get(`/v2/corp/app/blobs/${signed.layers[0]}`).expect(200);
  for (const name of ['corp/other', 'corp/app/app', 'corp/ap']) {
    await request(gateway.url).get(`/v2/${name}/blobs/${signed.layers[0]}`).expect(403);
  }
});

test('a manifest cannot be had as a blob, nor a blob as a manifest', async (t) => {
  const { gateway, signed } = await start(t);
  await request(gateway.url).get(`/v2/corp/app/blobs/${signed.digest}`).expect(403);
  await request(gateway.url).get(`/v2/corp/app/manifests/${signed.layers[0]}`).expect(403);
});

test('after the pull window, the blobs of an image that is signed no more are refused', async (t) => {
  const { gateway, signed } = await start(t);
  const path = `/v2/corp/app/blobs/${signed.layers[0]}`;
  gateway.signed.withdraw('corp/app', '1');
  await request(gateway.url).get(path).expect(200);
  gateway.advance(900_000);
  const late = await request(gateway.url).get(path).expect(403);
  assert.equal(late.body.errors[0].detail.reason, 'DIGEST_NOT_SIGNED');
});
