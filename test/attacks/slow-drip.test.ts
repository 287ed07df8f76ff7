/** An upstream that sends a byte now and then keeps every idle limit happy, and whoever waits for it busy for ever. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import type { Pace } from '../../upstream/pace.ts';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { told } from '../support/told.ts';

const SECOND = 1000;
/** A blob is asked for again from where it was given up, this often while it makes no progress worth the name. */
const CONNECTIONS = 5;

/** The upstream's time passes only when it sends a piece; between two pieces, so many milliseconds. */
async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  let elapsed = 0;
  const pace: Pace = { wait: async () => undefined, elapsed: () => elapsed, random: () => 0 };
  const limits = { minRate: 1024, rateWindow: 60 * SECOND };
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, pace, limits });
  const app = image({ layers: [Buffer.alloc(100_000, 'dripping'), Buffer.alloc(100_000, 'another')] });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  let sent = 0;
  const drip = (pieces: number, between: number, before?: (at: number) => Promise<unknown>): Fault => ({
    pieces,
    beforePiece: async (at) => {
      await before?.(at);
      // A turn of the event loop, so that each piece is read by itself.
      await new Promise((resolve) => setImmediate(resolve));
      sent += 1;
      elapsed += between;
    },
  });
  const [dripping = '', other = ''] = app.layers.map((layer) => `${gateway.url}/v2/corp/app/blobs/${layer}`);
  return { registry, gateway, app, drip, dripping, other, sent: () => sent };
}

test('a blob that drips is given up, asked for a few times more, and never arrives whole nor is kept', async (t) => {
  const { registry, gateway, drip, dripping, sent } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  const kept = gateway.store.count;
  const stop = registry.spoil({ kind: 'blob' }, drip(1, SECOND));
  const answer = await receive(dripping);
  assert.ok(!answer.whole || answer.status !== 200);
  assert.equal(registry.count('blob'), CONNECTIONS);
  // A window of a byte a second, and what was on its way when the connection was closed.
  assert.ok(sent() < CONNECTIONS * 120, `${sent()} bytes were taken`);
  assert.equal(gateway.store.count, kept);

  stop();
  const good = await receive(dripping);
  assert.ok(good.whole && good.body.byteLength === 100_000);
});

test('while one blob drips, other clients of the same image, repository and upstream have theirs', async (t) => {
  const { registry, gateway, app, drip, dripping, other } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  const held = gate();
  const first = registry.arrival({ kind: 'blob' });
  const before = (at: number) => (at === 10 ? held.opened : Promise.resolve());
  registry.spoil({ kind: 'blob', path: new URL(dripping).pathname.replace('/corp', '') }, drip(1, SECOND, before));
  const waiting = receive(dripping);
  await first;

  const whole = await receive(other);
  assert.ok(whole.status === 200 && whole.whole && whole.body.byteLength === 100_000);
  await request(gateway.url).get(`/v2/corp/app/manifests/${app.digest}`).expect(200);
  await request(gateway.url).head(new URL(dripping).pathname).expect(200);

  held.open();
  assert.ok(!(await waiting).whole);
});

test('a slow blob that keeps the least rate arrives', async (t) => {
  const { registry, gateway, drip, dripping } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  registry.spoil({ kind: 'blob' }, drip(1200, SECOND));
  const answer = await receive(dripping);
  assert.ok(answer.whole && answer.body.byteLength === 100_000);
  assert.equal(registry.count('blob'), 1);
});

for (const [what, kind, path] of [
  ['manifest', 'manifest', () => 'manifests/1'],
  ['list of tags', 'tags', () => 'tags/list'],
  ['list of referrers', 'referrers', (digest: string) => `referrers/${digest}`],
] as const) {
  test(`a ${what} that drips is a time-out of the upstream`, async (t) => {
    const { registry, gateway, app, drip } = await start(t);
    registry.spoil({ kind, method: 'GET' }, { ...drip(1, SECOND), body: ' '.repeat(1000) });
    const answer = await request(gateway.url).get(`/v2/corp/app/${path(app.digest)}`);
    assert.equal(told(answer), '504 UNAVAILABLE UPSTREAM_TIMED_OUT');
  });
}
