import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';

test('with the upstream down, what is cached and still signed is served; what is not cached is its failure', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image();
  const other = image({ layers: ['never pulled'] });
  registry.push('app', app, '1');
  registry.push('other', other, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  gateway.signed.sign('corp/other', '1', other.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  await request(gateway.url).get(`/v2/corp/app/blobs/${app.layers[0]}`).expect(200);
  registry.spoil({}, { status: 503 });
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  await request(gateway.url).get(`/v2/corp/app/blobs/${app.layers[0]}`).expect(200);
  await request(gateway.url).get('/v2/corp/other/manifests/1').expect(502);
});
