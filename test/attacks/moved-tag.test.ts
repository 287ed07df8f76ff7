import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { SignedTargets } from '../support/signed-targets.ts';

const APP = '/v2/corp/app/manifests';
const signed = image();
const moved = image({ layers: ['somebody else'] });

async function start(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  registry.push('app', signed, '1');
  gateway.signed.sign('corp/app', '1', signed.digest);
  return { registry, gateway, move: () => registry.push('app', moved, '1') };
}

async function reasonOf(gateway: TestGateway, reference: string): Promise<string> {
  const refused = await request(gateway.url).get(`${APP}/${reference}`).expect(403);
  return refused.body.errors[0].detail.reason;
}

test('a tag moved in the registry after signing still means the signed digest; what it was moved to is refused', async (t) => {
  const { gateway, move } = await start(t);
  move();
  const pulled = await request(gateway.url).get(`${APP}/1`).buffer(true).expect(200);
  assert.equal(pulled.headers['docker-content-digest'], signed.digest);
  assert.equal(await reasonOf(gateway, moved.digest), 'DIGEST_NOT_SIGNED');
});

/** What is judged and what is fetched are two requests; between them the tag is the attacker's. */
test('a tag moved while its verdict is found still means the signed digest', async (t) => {
  const { registry, gateway, move } = await start(t);
  const held = gate();
  gateway.signed.held = held.opened;
  const arrived = gateway.arrivals(1);
  const pulled = request(gateway.url)
    .get(`${APP}/1`)
    .buffer(true)
    .then((answer) => answer);
  await arrived;
  move();
  held.open();
  assert.equal((await pulled).text, signed.bytes.toString());
  assert.ok(!registry.requests.some(({ path }) => path.endsWith('/manifests/1')), 'the tag was never asked for');
});

for (const [what, rule] of [
  ["the upstream's word is taken", { unsafeAllowUnsigned: true }],
  ['a signature covers the digest', { require: { kind: 'all', authorities: ['cosign'] } }],
  ['a rule only warns', { mode: 'warn', require: { kind: 'all', authorities: ['nobody'] } }],
] as const) {
  test(`a tag moved after the upstream said what it is, where ${what}, is the digest that was judged`, async (t) => {
    const cosign = new SignedTargets('cosign', 'attests');
    cosign.sign('corp/app', '1', signed.digest);
    const { registry, gateway, move } = await start(t, {
      authorities: [cosign, new SignedTargets('nobody')],
      rules: [{ images: '**', ...rule }],
    });
    const held = gate();
    const asked = registry.arrival({ kind: 'manifest', method: 'HEAD' });
    registry.spoil({ kind: 'manifest', method: 'HEAD' }, { hangUntil: held.opened });
    const pulled = request(gateway.url)
      .get(`${APP}/1`)
      .buffer(true)
      .then((answer) => answer);
    await asked;
    move();
    held.open();
    const answer = await pulled;
    assert.equal(answer.status, 200);
    assert.equal(answer.text, signed.bytes.toString());
    assert.deepEqual(
      registry.requests.map(({ method, path }) => `${method} ${path}`),
      ['HEAD /v2/app/manifests/1', `GET /v2/app/manifests/${signed.digest}`],
    );
  });
}

test('a digest that a tag once led to is not admitted by what the tag means since', async (t) => {
  const { registry, gateway, move } = await start(t);
  await request(gateway.url).get(`${APP}/1`).expect(200);
  move();
  gateway.signed.sign('corp/app', '1', moved.digest);
  gateway.advance(1000);
  assert.equal(await reasonOf(gateway, signed.digest), 'DIGEST_NOT_SIGNED');
  await request(gateway.url).get(`${APP}/${moved.digest}`).expect(200);
  assert.equal(registry.count('manifest', 'HEAD'), 0);
});
