import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { clockAhead } from './support/clock.ts';
import { assertDenied } from './support/denied.ts';
import type { Gateway } from './support/gateway.ts';
import { once } from './support/once.ts';
import { Recorder } from './support/recorder.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';
import { findTool } from './support/tool.ts';
import { until } from './support/until.ts';

const IMAGE = `${UPSTREAM}/acme/app`;

const NO_OTHER_CLOCK = findTool('faketime').missing ?? false;

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

const publisher = once(() => stage.publisher('owner'));
const app = once(async () => await (await publisher()).pushSigned('acme/app:1', { message: 'signed today' }));

/** Pulled while all was well; then the clock goes past what notary-server signs its timestamps for, fourteen days. */
const expired = once(async () => {
  await app();
  const gateway = await stage.gateway(stage.configuration(SIGNED_ONLY));
  const blobs = await gateway.pull(IMAGE, '1');
  await gateway.restart(await clockAhead('+20d'));
  return { gateway, blobs };
});

/** A gateway that has seen the newest metadata, and from then on is shown what the real server said before. */
const rolledBack = once(async () => {
  const before = await app();
  const recorder = await Recorder.start(stage.workspace, stage.notary);
  const gateway = await stage.gateway(stage.configuration(SIGNED_ONLY, { server: recorder.url }));
  await gateway.pull(IMAGE, '1');
  recorder.keep();
  await (await publisher()).pushSigned('acme/app:2', { message: 'signed later' });
  await until('the newer metadata to be seen', SEEN_LIMIT_MS, async () =>
    (await gateway.manifest(IMAGE, '2')).status === 200 ? true : undefined,
  );
  recorder.replay();
  await until('the older metadata to be denied', SEEN_LIMIT_MS, async () =>
    (await gateway.manifest(IMAGE, '1')).status === 403 ? true : undefined,
  );
  return { gateway, before, recorder };
});

interface Case {
  readonly cause: string;
  readonly reason: string;
  readonly says: RegExp;
  readonly gateway: () => Promise<Gateway>;
  readonly skip?: string | false;
}

const CASES: readonly Case[] = [
  {
    cause: 'an image whose real metadata has expired, though all of it is in the cache',
    reason: 'METADATA_EXPIRED',
    says: /timestamp expired \d{4}-\d\d-\d\dT/,
    gateway: async () => (await expired()).gateway,
    skip: NO_OTHER_CLOCK,
  },
  {
    cause: 'an image whose real metadata is older than what was seen before',
    reason: 'METADATA_ROLLBACK',
    says: /expected version \d+ or later, which was seen before, got version \d+/,
    gateway: async () => (await rolledBack()).gateway,
  },
];

for (const { cause, reason, says, gateway, skip: unable = false } of CASES) {
  const skip = stage.skip || unable;
  test(`${cause} is denied with 403 and ${reason}, by tag and by digest`, { skip }, async () => {
    const digest = await app();
    for (const image of [`${IMAGE}:1`, `${IMAGE}@${digest}`]) {
      const denial = await (await gateway()).denial(image);
      assert.deepEqual([denial.status, denial.code, denial.reason], [403, 'DENIED', reason], denial.message);
      assert.match(denial.message, says);
    }
  });

  for (const client of clients) {
    test(`${client.name}: ${cause} is not pulled, and the terminal says why`, {
      skip: skip || client.skip,
    }, async () => {
      await assertDenied(client, await gateway(), `${IMAGE}:1`, reason);
    });
  }
}

test('the blobs of an image whose metadata has expired are denied too', {
  skip: stage.skip || NO_OTHER_CLOCK,
}, async () => {
  const { gateway, blobs } = await expired();
  assert.ok(blobs.length > 0);
  for (const digest of blobs) {
    const { status, body } = await gateway.ask('GET', `/v2/${IMAGE}/blobs/${digest}`);
    assert.equal(status, 403);
    assert.match(body.toString('utf8'), /METADATA_EXPIRED/);
  }
});

test('a gateway that is started again still knows that the metadata is older', { skip: stage.skip }, async () => {
  const { gateway } = await rolledBack();
  await gateway.restart();
  const denial = await gateway.denial(`${IMAGE}:1`);
  assert.equal(denial.reason, 'METADATA_ROLLBACK', denial.message);
});

test('a gateway that never saw the newer metadata has nothing against the older', { skip: stage.skip }, async () => {
  const { before, recorder } = await rolledBack();
  const gateway = await stage.gateway(stage.configuration(SIGNED_ONLY, { server: recorder.url }));
  const { status, headers } = await gateway.manifest(IMAGE, '1');
  assert.deepEqual([status, headers['docker-content-digest']], [200, before]);
});
