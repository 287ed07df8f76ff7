/** distribution#2367: two manifests shared a layer; when the time of one was over, the other lost it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';

const WINDOW = 900_000;
const shared = Buffer.alloc(50_000, 'shared');
const images = {
  first: image({ layers: [shared, 'of the first alone'] }),
  second: image({ layers: [shared, 'of the second alone'] }),
};
type Which = keyof typeof images;
const [SHARED = ''] = images.first.layers;
const ownOf = (which: Which) => images[which].layers[1] ?? '';

async function start(t: TestContext, repositories: Readonly<Record<Which, string>> = { first: 'app', second: 'app' }) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  const blob = (which: Which, digest: string) =>
    receive(`${gateway.url}/v2/corp/${repositories[which]}/blobs/${digest}`);
  for (const which of ['first', 'second'] as const) {
    registry.push(repositories[which], images[which], which);
    gateway.signed.sign(`corp/${repositories[which]}`, which, images[which].digest);
    await request(gateway.url).get(`/v2/corp/${repositories[which]}/manifests/${which}`).expect(200);
    for (const digest of images[which].layers) assert.equal((await blob(which, digest)).status, 200);
  }
  assert.equal(registry.count('blob'), 3, 'the shared layer was fetched once');
  const withdraw = (which: Which) => {
    gateway.signed.withdraw(`corp/${repositories[which]}`, which);
    gateway.advance(WINDOW);
  };
  return { registry, gateway, blob, withdraw };
}

for (const [withdrawn, other] of [
  ['first', 'second'],
  ['second', 'first'],
] as const) {
  test(`when the ${withdrawn} of two images that share a layer is withdrawn, the other stays whole`, async (t) => {
    const { registry, blob, withdraw } = await start(t);
    withdraw(withdrawn);
    assert.deepEqual((await blob(other, SHARED)).body, shared);
    assert.equal((await blob(other, ownOf(other))).status, 200);
    assert.equal((await blob(withdrawn, ownOf(withdrawn))).status, 403);
    assert.equal(registry.count('blob'), 3, 'nothing was fetched again');
  });

  test(`in two repositories, a layer of the ${withdrawn} image that is withdrawn stays the other's alone`, async (t) => {
    const { blob, withdraw } = await start(t, { first: 'one', second: 'two' });
    withdraw(withdrawn);
    assert.deepEqual((await blob(other, SHARED)).body, shared);
    assert.equal((await blob(withdrawn, SHARED)).status, 403);
  });
}

test('when both are withdrawn, so is what they share', async (t) => {
  const { gateway, blob, withdraw } = await start(t);
  withdraw('first');
  withdraw('second');
  assert.equal((await blob('first', SHARED)).status, 403);
  assert.equal(gateway.store.count, 5, 'two manifests and three layers: what is on disk says nothing');
});

test('a shared layer that was lost from the disk is fetched again for the image that still has it', async (t) => {
  const { registry, gateway, blob, withdraw } = await start(t);
  withdraw('first');
  const [digest] = images.second.layers;
  assert.ok(digest !== undefined);
  await gateway.store.drop(digest);
  assert.deepEqual((await blob('second', SHARED)).body, shared);
  assert.equal(registry.count('blob'), 4);
});
