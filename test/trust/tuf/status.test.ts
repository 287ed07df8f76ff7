import assert from 'node:assert/strict';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { forecast } from '../../../trust/forecast.ts';
import type { TufAuthority } from '../../../trust/tuf/authority.ts';
import { APP, DAY, HOUR, IMAGE, NOW, outcomeOf, signedRepository, tufClient } from '../../support/tuf-client.ts';
import { TufRepository } from '../../support/tuf-repository.ts';

function trustOf(authority: TufAuthority) {
  const [trust] = authority.status().trust;
  assert.ok(trust !== undefined);
  return trust;
}

test('what is on disk is told of once it is recalled: nobody is asked, and nothing is relied on', async (t) => {
  const first = await tufClient(t);
  await first.judge('1.0');
  first.clock.advance(HOUR);
  const { authority, fetch, judge } = await first.reopen();
  assert.deepEqual(trustOf(authority).versions, {});
  fetch.requests.length = 0;
  await authority.recall();
  const { versions, refreshedAt, expiries, failure } = trustOf(authority);
  assert.deepEqual(versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  assert.deepEqual([refreshedAt, failure], [NOW, undefined]);
  assert.deepEqual(expiries.find(({ what }) => what === 'timestamp')?.since, NOW, 'as before the restart');
  assert.deepEqual(fetch.requests, []);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.ok(fetch.requests.length > 0);
});

test('a timestamp is as old as its first sight, whatever was refreshed since; a new one is new', async (t) => {
  const { authority, judge, clock, repository } = await tufClient(t);
  const since = () => trustOf(authority).expiries.find(({ what }) => what === 'timestamp')?.since;
  await judge('1.0');
  clock.advance(HOUR);
  await judge('1.0');
  assert.deepEqual(since(), NOW);
  repository.publishTimestamp();
  await judge('1.0');
  assert.deepEqual(since(), clock.now());
});

for (const [left, level] of [
  [HOUR + 1, 'ok'],
  [HOUR, 'warning'],
] as const) {
  test(`of a timestamp that lives four hours, with ${left} ms left: ${level}`, async (t) => {
    const repository = signedRepository();
    repository.edit('timestamp', (signed) => {
      signed.expires = new Date(NOW.getTime() + 4 * HOUR).toISOString().replace(/\.\d+Z$/, 'Z');
    });
    const { authority, judge, clock } = await tufClient(t, repository);
    await judge('1.0');
    clock.advance(4 * HOUR - left);
    const { rows } = forecast([authority.status()], clock.now(), { warnBefore: 14 * DAY });
    assert.equal(rows.find(({ what }) => what === 'timestamp')?.level, level);
  });
}

test('of delegated roles those in use are told of, and no others', async (t) => {
  const repository = new TufRepository({ now: NOW });
  for (const role of ['acme', 'lost']) repository.delegate(role, { paths: [`docker.io/${role}/*`] });
  repository.sign(`${APP}:1.0`, IMAGE, 'acme');
  repository.publish();
  repository.files.delete('1.lost.json');
  const { authority, judge, reopen } = await tufClient(t, repository);
  await judge('1.0');
  const roles = (of: TufAuthority) => trustOf(of).expiries.map(({ what }) => what);
  assert.deepEqual(roles(authority), ['root', 'timestamp', 'snapshot', 'targets', 'acme']);
  const again = await reopen();
  await again.authority.recall();
  assert.deepEqual(roles(again.authority), ['root', 'timestamp', 'snapshot', 'targets', 'acme']);
});

test('damage is told of when it is recalled or met at a pull, and no more once it is mended', async (t) => {
  const first = await tufClient(t);
  await first.judge('1.0');
  await truncate(join(first.home, 'trust', 'org', 'state'), 10);
  const recalled = await first.reopen();
  await recalled.authority.recall();
  assert.equal(trustOf(recalled.authority).failure?.reason, 'TRUST_STATE_DAMAGED');
  const met = await first.reopen();
  assert.equal(outcomeOf(await met.judge('1.0')), 'TRUST_STATE_DAMAGED');
  assert.equal(trustOf(met.authority).failure?.reason, 'TRUST_STATE_DAMAGED');
  await rm(join(first.home, 'trust', 'org'), { recursive: true });
  assert.equal(outcomeOf(await met.judge('1.0')), 'vouched');
  assert.equal(trustOf(met.authority).failure, undefined);
});
