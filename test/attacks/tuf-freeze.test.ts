/** TUF specification 1.5.2, "indefinite freeze attack": the same old metadata forever. Expiry ends it, and `maxAge` long before that. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import {
  DAY,
  HOUR,
  IMAGE,
  NOW,
  outcomeOf,
  SECOND,
  signedRepository,
  TARGET,
  tufClient,
} from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

const MAX_AGE = { maxAge: 3 * DAY };

function inDays(days: number): string {
  return new Date(NOW.getTime() + days * DAY).toISOString();
}

for (const role of ['root', 'timestamp', 'snapshot', 'targets', 'acme']) {
  test(`an expired ${role}: METADATA_EXPIRED, from the millisecond that it says, also on the way to the source and after a restart`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    repository.delegate('acme', { paths: ['docker.io/acme/*'] });
    repository.sign(TARGET, IMAGE, 'acme');
    repository.part(role).expires = inDays(1);
    repository.publish();
    const { judge, clock, reopen, fetch } = await tufClient(t, repository);
    clock.advance(DAY - 1);
    const finding = await judge('1.0');
    assert.deepEqual(finding.outcome === 'vouched' && finding.validUntil, new Date(NOW.getTime() + DAY));
    clock.advance(1);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_EXPIRED');
    assert.equal(outcomeOf(await judge(IMAGE.digest)), 'METADATA_EXPIRED');
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0')), 'METADATA_EXPIRED');
    fetch.fault = new MetadataUnavailable('connection refused');
    assert.notEqual(outcomeOf(await restarted('1.0')), 'vouched');
  });
}

test('a role of another image that has expired stops only what is looked for through it', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('other', { paths: ['docker.io/other/*'] });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.part('other').expires = inDays(-1);
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge('1.0', { repository: 'other/app' })), 'METADATA_EXPIRED');
});

test('a timestamp that is not renewed within maxAge is stale while unexpired, however often it is fetched', async (t) => {
  const { judge, clock, repository, fetch } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  for (let day = 1; day <= 3; day += 1) {
    clock.advance(DAY);
    assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  }
  clock.advance(1);
  const finding = await judge('1.0', MAX_AGE);
  assert.equal(outcomeOf(finding), 'TRUST_STALE');
  assert.match(JSON.stringify(finding), /timestamp 1 has not been renewed since/);
  assert.equal(outcomeOf(await judge(IMAGE.digest, MAX_AGE)), 'TRUST_STALE');
  assert.ok(fetch.requests.filter((name) => name === 'timestamp.json').length > 3, 'it was asked for all the time');
  repository.publishTimestamp();
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
});

test('what a vouched image rests on counts its age from the first sight of the timestamp', async (t) => {
  const { judge, clock } = await tufClient(t);
  await judge('1.0', MAX_AGE);
  clock.advance(2 * DAY);
  const finding = await judge('1.0', MAX_AGE);
  assert.deepEqual(finding.outcome === 'vouched' && finding.refreshedAt, NOW);
});

for (const removed of ['nothing', 'the state folder'] as const) {
  test(`a restart does not make a frozen timestamp young, with ${removed} removed`, async (t) => {
    const { judge, clock, reopen, home } = await tufClient(t);
    assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
    clock.advance(2 * DAY);
    if (removed === 'the state folder') await rm(join(home, 'trust'), { recursive: true });
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0', MAX_AGE)), 'vouched');
    clock.advance(DAY + 1);
    assert.equal(outcomeOf(await restarted('1.0', MAX_AGE)), 'TRUST_STALE');
  });
}

test('a timestamp that is renewed every hour or every day is never stale within three days', async (t) => {
  for (const every of [HOUR, DAY]) {
    const { judge, clock, repository } = await tufClient(t, signedRepository());
    for (let passed = 0; passed < 7 * DAY; passed += every) {
      assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
      clock.advance(every);
      repository.publishTimestamp();
    }
  }
});

test('a source that is out: what is remembered counts from the same moment', async (t) => {
  const { judge, clock, fetch } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  fetch.fault = new MetadataUnavailable('connection refused');
  clock.advance(3 * DAY);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  clock.advance(60 * SECOND);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'TRUST_STALE');
});

test('a clock that was set back far makes nothing fresh', async (t) => {
  const { judge, clock, fetch } = await tufClient(t);
  clock.advance(DAY);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  fetch.fault = new MetadataUnavailable('connection refused');
  clock.advance(-DAY);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'TRUST_STALE');
});

test('metadata that is withdrawn as a whole is not lived on', async (t) => {
  const { judge, repository } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.restore(new Map());
  assert.equal(outcomeOf(await judge('1.0')), 'NOT_SIGNED');
});

test('a clock that was a year ahead when the timestamp came does not keep it fresh for that year', async (t) => {
  const { judge, clock, reopen } = await tufClient(t);
  clock.advance(20 * DAY);
  assert.equal(outcomeOf(await judge('1.0', MAX_AGE)), 'vouched');
  clock.advance(-20 * DAY);
  for (const ask of [judge, (await reopen()).judge]) {
    assert.equal(outcomeOf(await ask('1.0', MAX_AGE)), 'vouched');
    clock.advance(3 * DAY + SECOND);
    assert.equal(outcomeOf(await ask('1.0', MAX_AGE)), 'TRUST_STALE');
    clock.advance(-3 * DAY - SECOND);
  }
});
