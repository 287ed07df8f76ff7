import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import type { Fault } from '../support/registry-fault.ts';
import { APP, bytesOf, clientOf, failing, V1 } from './support/clients.ts';

const PASSING: readonly [what: string, fault: Fault][] = [
  ['502', { status: 502 }],
  ['503', { status: 503 }],
  ['504', { status: 504 }],
  ['a connection closed without an answer', { reset: true }],
  ['a manifest cut short', { cutAfter: 3 }],
  ['a silent manifest', { pieces: 1, beforePiece: () => new Promise(() => undefined) }],
  ['no headers in time', { hangUntil: new Promise(() => undefined) }],
  ['429 without a time', { status: 429 }],
  ['429 with a short time', { status: 429, headers: { 'retry-after': '2' } }],
];

for (const [what, fault] of PASSING) {
  test(`${what} is tried again, and forgotten when it passed`, async (t) => {
    const registry = await FakeRegistry.start(t);
    registry.push(APP, image(), 'v1');
    registry.spoil({ kind: 'manifest' }, fault, 2);
    const { client, pace, log } = clientOf(t, registry.url, { limits: { idle: 50, firstByte: 50 } });
    assert.ok(await client.manifest(APP, V1));
    assert.equal(registry.count('manifest'), 3);
    assert.equal(pace.waits.length, 2);
    assert.equal(log.at('warn').length, 2);
  });
}

test('the third failure is the last, after waits that grow', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.spoil({ kind: 'manifest' }, { status: 503 });
  const { client, pace } = clientOf(t, registry.url);
  const error = await failing(client.manifest(APP, V1), 'server-error');
  assert.equal(error.status, 503);
  assert.equal(error.outage, true);
  assert.equal(registry.count('manifest'), 3);
  assert.deepEqual(pace.waits, [250, 1000]);
});

test('HEAD and the beginning of a blob are tried again too', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  const digest = registry.pushBlob(APP, Buffer.from('blob'));
  registry.spoil({ kind: 'manifest' }, { status: 502 }, 1);
  registry.spoil({ kind: 'blob' }, { status: 502 }, 1);
  const { client } = clientOf(t, registry.url);
  assert.deepEqual(await client.resolve(APP, V1), { digest: app.digest });
  assert.equal(await bytesOf(await client.blob(APP, digest, { offset: 0, size: 4 })), 'blob');
});

for (const [status, failure] of [
  [400, 'bad-answer'],
  [401, 'denied'],
  [403, 'denied'],
  [418, 'bad-answer'],
  [304, 'bad-answer'],
  [204, 'bad-answer'],
  [500, 'server-error'],
  [501, 'server-error'],
] as const) {
  test(`a ${status} is ${failure}, and not tried again`, async (t) => {
    const registry = await FakeRegistry.start(t);
    registry.spoil({ kind: 'manifest' }, { status });
    const { client } = clientOf(t, registry.url);
    const error = await failing(client.manifest(APP, V1), failure);
    assert.equal(error.outage, failure === 'server-error');
    assert.equal(registry.count('manifest'), 1);
  });
}

test('a long Retry-After is told at once, and until then nothing more is asked of that host', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  registry.spoil({ kind: 'manifest' }, { status: 429, headers: { 'retry-after': '120' } }, 1);
  const { client, pace } = clientOf(t, registry.url);
  const first = await failing(client.manifest(APP, V1), 'rate-limited');
  assert.equal(first.retryAfter, 120);
  assert.equal(first.status, 429);
  assert.equal(first.outage, true);
  pace.pass(100_000);
  const second = await failing(client.tags(APP, {}), 'rate-limited');
  assert.equal(second.retryAfter, 20);
  assert.equal(registry.requests.length, 1);
  pace.pass(20_000);
  assert.ok(await client.manifest(APP, V1));
});

test('a short Retry-After is sat out, by those who come meanwhile too', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  registry.spoil({ kind: 'manifest' }, { status: 429, headers: { 'retry-after': '7' } }, 1);
  const { client, pace } = clientOf(t, registry.url);
  assert.ok(await client.manifest(APP, V1));
  assert.deepEqual(pace.waits, [7000]);
});

test('waits that would pass the budget are not begun', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.spoil({ kind: 'manifest' }, { status: 503, headers: { 'retry-after': '9' } });
  const { client, pace } = clientOf(t, registry.url);
  const error = await failing(client.manifest(APP, V1), 'server-error');
  assert.equal(error.retryAfter, 9);
  assert.deepEqual(pace.waits, [9000]);
});

test('an abort while waiting for the next try ends it there', async (t) => {
  const registry = await FakeRegistry.start(t);
  const reason = new Error('the client left');
  const leaving = new AbortController();
  registry.spoil({ kind: 'manifest' }, { status: 503 });
  const { client } = clientOf(t, registry.url, {
    pace: {
      wait: async (_ms, signal) => {
        leaving.abort(reason);
        signal?.throwIfAborted();
      },
      elapsed: () => 0,
      random: () => 0,
    },
  });
  await assert.rejects(client.manifest(APP, V1, leaving.signal), reason);
  assert.equal(registry.count('manifest'), 1);
});

test('nobody there is unreachable, an outage', async (t) => {
  const registry = await FakeRegistry.start(t);
  await registry.close();
  const { client } = clientOf(t, registry.url);
  const error = await failing(client.manifest(APP, V1), 'unreachable');
  assert.equal(error.outage, true);
  assert.match(error.message, /ECONNREFUSED/);
});
