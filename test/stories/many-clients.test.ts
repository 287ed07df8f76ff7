import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
const SIZE = 20 * MIB;
const CLIENTS = 100;
const LAYER = Buffer.alloc(SIZE, 'twenty megabytes of a layer, in no simple number of times; ');

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const app = image({ layers: [LAYER] });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  return { registry, gateway, path: `${gateway.url}/v2/corp/app/blobs/${app.layers[0]}` };
}

function opened(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject);
  });
}

/** How many bytes came, each the right one. */
async function rightBytes(response: IncomingMessage): Promise<number> {
  let at = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    assert.ok(chunk.equals(LAYER.subarray(at, at + chunk.byteLength)), `other bytes from ${at} on`);
    at += chunk.byteLength;
  }
  return at;
}

test(`${CLIENTS} clients of one uncached blob cost one fetch; who stalls or leaves changes nothing for the others`, async (t) => {
  const { registry, gateway, path } = await start(t);
  const half = gate();
  const beforePiece = (at: number) => (at === 10 ? half.opened : Promise.resolve());
  registry.spoil({ kind: 'blob' }, { pieces: MIB, beforePiece });

  const responses = await Promise.all(Array.from({ length: CLIENTS }, () => opened(path)));
  assert.ok(responses.every(({ statusCode }) => statusCode === 200));
  const [leaving, stalling, ...reading] = responses;
  assert.ok(leaving !== undefined && stalling !== undefined);
  stalling.pause();
  leaving.on('error', () => undefined).destroy();
  const read = reading.map(rightBytes);
  half.open();

  assert.deepEqual(new Set(await Promise.all(read)), new Set([SIZE]));
  assert.equal(registry.count('blob'), 1);
  assert.equal(gateway.store.count, 2, 'the manifest and the layer are kept');
  // The stalled one takes up again where it was.
  assert.equal(await rightBytes(stalling), SIZE);
  assert.equal(registry.count('blob'), 1);
});

test('when every client of a fill leaves, it goes on for those who come', async (t) => {
  const { registry, path } = await start(t);
  const held = gate();
  registry.spoil({ kind: 'blob' }, { pieces: MIB, beforePiece: (at) => (at === 1 ? held.opened : Promise.resolve()) });
  for (const response of await Promise.all([opened(path), opened(path)])) {
    response.on('error', () => undefined).destroy();
  }
  held.open();
  const answer = await receive(path);
  assert.ok(answer.whole && answer.body.equals(LAYER));
  assert.equal(registry.count('blob'), 1);
});

test('parts asked for while the whole is on its way come from the same fetch', async (t) => {
  const { registry, path } = await start(t);
  const held = gate();
  registry.spoil({ kind: 'blob' }, { pieces: MIB, beforePiece: (at) => (at === 1 ? held.opened : Promise.resolve()) });
  const whole = opened(path).then(rightBytes);
  const part = receive(path, { Range: `bytes=${SIZE - 10}-` });
  const early = receive(path, { Range: 'bytes=5-14' });
  held.open();
  assert.equal(await whole, SIZE);
  for (const [answer, start] of [
    [await part, SIZE - 10],
    [await early, 5],
  ] as const) {
    assert.equal(answer.status, 206);
    assert.deepEqual(answer.body, LAYER.subarray(start, start + 10));
  }
  assert.equal(registry.count('blob'), 1);
});
