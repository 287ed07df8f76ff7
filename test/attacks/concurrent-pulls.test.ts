import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request, { type Response } from 'supertest';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { SignedTargets, unknown } from '../support/signed-targets.ts';
import { told } from '../support/told.ts';

const AT_ONCE = 50;
const APP = '/v2/corp/app/manifests';

async function start(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  const app = image();
  registry.push('app', app, '1');
  const pull = (reference: string) => request(gateway.url).get(`${APP}/${reference}`);
  /** Half of them by GET, half by HEAD. */
  const pulls = (reference: string) =>
    Array.from({ length: AT_ONCE }, (_, at) =>
      request(gateway.url)
        [at % 2 === 0 ? 'get' : 'head'](`${APP}/${reference}`)
        .then((answer) => answer),
    );
  return { registry, gateway, app, pull, pulls };
}

function statuses(answers: readonly Response[]): number[] {
  return [...new Set(answers.map(({ status }) => status))];
}

test('many pulls at once of an image that is refused are all refused, and ask the upstream nothing', async (t) => {
  const { registry, pulls } = await start(t);
  assert.deepEqual(statuses(await Promise.all(pulls('1'))), [403]);
  assert.equal(registry.requests.length, 0);
});

test('many pulls at once of a signed image whose bytes are bad are all refused after one fetch', async (t) => {
  const { registry, gateway, app, pulls } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  registry.replace('app', app.digest, Buffer.from('{}'));
  assert.deepEqual(statuses(await Promise.all(pulls('1'))), [403]);
  assert.equal(registry.count('manifest'), 1);
});

/** A quarantine that waited so long for its verdict that it let the image through (Sonatype 47831681413523, ratify#92). */
for (const [how, end, expected, ofLayer] of [
  ['times out', (signed: SignedTargets) => (signed.unreachable = true), '503 UNAVAILABLE TRUST_UNREACHABLE', 503],
  ['ends in an error', (signed: SignedTargets) => (signed.breaks = new Error('late')), '503 UNAVAILABLE INTERNAL', 403],
  ['ends in a refusal', () => undefined, '403 DENIED NOT_SIGNED', 403],
] as const) {
  for (const by of ['tag', 'digest'] as const) {
    test(`many pulls by ${by} that wait for one verdict, which ${how}, are all denied, and ask the upstream nothing`, async (t) => {
      const { registry, gateway, app, pull, pulls } = await start(t);
      const reference = by === 'tag' ? '1' : app.digest;
      const held = gate();
      gateway.signed.held = held.opened;
      const arrived = gateway.arrivals(AT_ONCE);
      const waiting = pulls(reference);
      await arrived;
      end(gateway.signed);
      held.open();
      const answers = await Promise.all(waiting);
      assert.deepEqual(statuses(answers), [Number(expected.slice(0, 3))]);
      assert.equal(told(await pull(reference)), expected, 'and so is who comes after them');
      assert.equal(gateway.signed.questions.length, 1);
      assert.equal(registry.requests.length, 0);
      const layer = await request(gateway.url).get(`/v2/corp/app/blobs/${app.layers[0]}`);
      assert.equal(layer.status, ofLayer, told(layer));
    });
  }
}

test('many pulls that wait for an upstream that does not say what the tag is are all denied after one question', async (t) => {
  const cosign = new SignedTargets('cosign', 'attests');
  const { registry, app, pull, pulls } = await start(t, {
    authorities: [cosign],
    rules: [{ images: '**', require: { kind: 'all', authorities: ['cosign'] } }],
    limits: { firstByte: 50 },
  });
  cosign.sign('corp/app', '1', app.digest);
  const never = gate();
  t.after(() => never.open());
  registry.spoil({}, { hangUntil: never.opened });
  assert.deepEqual(statuses(await Promise.all(pulls('1'))), [504]);
  assert.equal(registry.requests.length, 3, 'one question, tried three times');
  assert.equal(cosign.questions.length, 0);
  assert.equal(told(await pull('1')), '504 UNAVAILABLE UPSTREAM_TIMED_OUT');
});

test('many pulls of a manifest that never comes are all denied after one fetch, and none of its blobs is admitted', async (t) => {
  const { registry, gateway, app, pulls } = await start(t, { limits: { firstByte: 50 } });
  gateway.signed.sign('corp/app', '1', app.digest);
  const never = gate();
  t.after(() => never.open());
  registry.spoil({}, { hangUntil: never.opened });
  assert.deepEqual(statuses(await Promise.all(pulls('1'))), [504]);
  assert.equal(registry.count('manifest'), 3, 'one fetch, tried three times');
  const layer = await request(gateway.url).get(`/v2/corp/app/blobs/${app.layers[0]}`);
  assert.equal(told(layer), '504 UNAVAILABLE UPSTREAM_TIMED_OUT', 'what the signed manifest lists is not known');
});

test('a verdict that was admitted and is not known any more is not used again', async (t) => {
  const { gateway, app, pull, pulls } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  assert.deepEqual(statuses(await Promise.all(pulls('1'))), [200]);
  gateway.advance(1000);
  gateway.signed.says = unknown('TRUST_UNREACHABLE', 7);
  const answer = await pull('1');
  assert.equal(told(answer), '503 UNAVAILABLE TRUST_UNREACHABLE');
  assert.equal(answer.headers['retry-after'], '7');
  assert.deepEqual(statuses(await Promise.all(pulls(app.digest))), [503]);
});
