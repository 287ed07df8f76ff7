import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { SIGNED, TestGateway, type TestRule } from '../support/gateway.ts';

const amd64 = image({ layers: ['for amd64'] });
const arm64 = image({ layers: ['for arm64'] });
const multi = index([amd64, arm64]);

/** A gateway that has served nothing, before an upstream that has everything. */
async function start(t: Parameters<typeof FakeRegistry.start>[0], rules?: readonly TestRule[]) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, {
    upstreams: { corp: registry },
    ...(rules === undefined ? {} : { rules }),
  });
  registry.push('app', multi, 'v1');
  gateway.signed.sign('corp/app', 'v1', multi.digest);
  return { registry, gateway, app: `${gateway.url}/v2/corp/app` };
}

test('the child of a signed index is served by its digest, though nobody ever asked for the tag', async (t) => {
  const { registry, gateway, app } = await start(t);
  const got = await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  assert.equal(got.text, arm64.bytes.toString());
  await request(app).get(`/blobs/${arm64.layers[0]}`).expect(200);
  assert.equal(registry.count('manifest'), 2, 'the index, and the child');
  gateway.advance(3_600_000);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  assert.equal(registry.count('manifest'), 2, 'the next time it is known');
});

test('HEAD of a child says the same as GET', async (t) => {
  const { app } = await start(t);
  const got = await request(app).head(`/manifests/${amd64.digest}`).expect(200);
  assert.equal(got.headers['docker-content-digest'], amd64.digest);
});

test('the child of an index in an index is served', async (t) => {
  const { registry, gateway, app } = await start(t);
  const deep = image({ layers: ['far below'] });
  registry.push('app', index([index([index([deep])])]), 'deep');
  gateway.signed.sign('corp/app', 'deep', index([index([index([deep])])]).digest);
  await request(app).get(`/manifests/${deep.digest}`).expect(200);
});

test('what lies deeper than an index nests is refused, and not looked for', async (t) => {
  const { registry, gateway, app } = await start(t);
  const deep = image({ layers: ['too far below'] });
  const one = index([deep]);
  const two = index([one]);
  const three = index([two]);
  registry.push('app', index([three]), 'deep');
  gateway.signed.sign('corp/app', 'deep', index([three]).digest);
  await request(app).get(`/manifests/${deep.digest}`).expect(403);
  await request(app).get(`/blobs/${deep.layers[0]}`).expect(403);
  for (const reference of ['deep', three.digest, two.digest, one.digest]) {
    await request(app).get(`/manifests/${reference}`).expect(200);
  }
  gateway.advance(2000);
  await request(app).get(`/manifests/${deep.digest}`).expect(403);
});

test('the second of two gateways serves the blobs of what the first one served', async (t) => {
  const { registry, gateway, app } = await start(t);
  const second = await TestGateway.start(t, { upstreams: { corp: registry }, signed: gateway.signed });
  await request(app).get('/manifests/v1').expect(200);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  for (const blob of [arm64.config, ...arm64.layers]) {
    const got = await request(second.url).get(`/v2/corp/app/blobs/${blob}`).expect(200);
    assert.deepEqual(got.body, arm64.blobs.get(blob ?? arm64.digest));
  }
});

test('a blob of an image that is signed without an index is found on a fresh gateway', async (t) => {
  const { registry, gateway, app } = await start(t);
  const single = image({ layers: ['of a single image'] });
  registry.push('app', single, 'single');
  gateway.signed.sign('corp/app', 'single', single.digest);
  await request(app).head(`/blobs/${single.layers[0]}`).expect(200);
  await request(app).get(`/blobs/${single.layers[0]}`).expect(200);
});

test('a child that moved to a new index is served after the old one was withdrawn', async (t) => {
  const { registry, gateway, app } = await start(t);
  await request(app).get('/manifests/v1').expect(200);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  const next = index([arm64]);
  registry.push('app', next, 'v2');
  gateway.signed.withdraw('corp/app', 'v1');
  gateway.signed.sign('corp/app', 'v2', next.digest);
  gateway.advance(3_600_000);
  await request(app).get(`/blobs/${arm64.layers[0]}`).expect(200);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  await request(app).get(`/manifests/${amd64.digest}`).expect(403);
});

test("what another client's search finds while this one is judged is not missed", async (t) => {
  const { registry, gateway, app } = await start(t);
  await request(app).get('/manifests/v1').expect(200);
  const next = index([arm64]);
  registry.push('app', next, 'v2');
  gateway.signed.withdraw('corp/app', 'v1');
  gateway.signed.sign('corp/app', 'v2', next.digest);
  gateway.advance(3_600_000);
  const judge = gateway.signed.judge.bind(gateway.signed);
  let other = 0;
  gateway.signed.judge = async (question) => {
    // The index that once led to it is judged; another client now finds the one that leads to it today.
    if (question.reference.kind === 'digest' && question.reference.digest === multi.digest && other === 0) {
      other += 1;
      await request(app)
        .get(`/manifests/${image({ layers: ['of nobody'] }).digest}`)
        .expect(403);
    }
    return judge(question);
  };
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  assert.equal(other, 1);
});

test('where a pattern covers tags only, what such a tag means is served by its digest, and so are its children', async (t) => {
  const { registry, gateway, app } = await start(t, [{ images: 'corp/app:v*', ...SIGNED }]);
  const nightly = image({ layers: ['nightly'] });
  registry.push('app', index([nightly]), 'nightly');
  gateway.signed.sign('corp/app', 'nightly', index([nightly]).digest);
  await request(app).get(`/manifests/${multi.digest}`).expect(200);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  for (const { digest } of [index([nightly]), nightly]) {
    const got = await request(app).get(`/manifests/${digest}`).expect(403);
    assert.equal(got.body.errors[0].detail.reason, 'NO_RULE');
  }
  await request(app).get(`/blobs/${nightly.layers[0]}`).expect(403);
});

test('with the upstream out, whether a digest belongs to something signed is unknown, not refused, until it is back', async (t) => {
  const { registry, gateway, app } = await start(t);
  const mend = registry.spoil({}, { status: 503 });
  await request(app).get(`/manifests/${arm64.digest}`).expect(502);
  await request(app).get(`/blobs/${arm64.layers[0]}`).expect(502);
  mend();
  gateway.advance(10_000);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  await request(app).get(`/blobs/${arm64.layers[0]}`).expect(200);
});

test('with the authority out, it is undetermined, also where only a tag is covered', async (t) => {
  for (const images of ['corp/app', 'corp/app:v*']) {
    const { registry, gateway, app } = await start(t, [{ images, ...SIGNED }]);
    gateway.signed.unreachable = true;
    const got = await request(app).get(`/manifests/${arm64.digest}`).expect(503);
    assert.equal(got.body.errors[0].detail.reason, 'TRUST_UNREACHABLE');
    await request(app).get(`/blobs/${arm64.layers[0]}`).expect(503);
    assert.equal(registry.requests.length, 0);
  }
});

test('mode warn announces nothing of a child whose index is signed', async (t) => {
  const { gateway, app } = await start(t, [{ images: '**', ...SIGNED, mode: 'warn' }]);
  await request(app).get(`/manifests/${arm64.digest}`).expect(200);
  assert.deepEqual(gateway.log.at('warn'), []);
});
