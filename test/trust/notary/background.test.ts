import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import type { NotaryAuthorityOptions } from '../../../trust/notary/authority.ts';
import { DAY, NOW, notaryClient, outcomeOf, SECOND, signedRepository } from '../../support/notary-client.ts';

const MINUTE = 60 * SECOND;

/** A schedule whose ticks the test makes. */
function handSchedule() {
  const ticks: (() => void)[] = [];
  const stopped: number[] = [];
  const schedule: NotaryAuthorityOptions['schedule'] = (task, every) => {
    ticks.push(task);
    return () => stopped.push(every);
  };
  return { schedule, stopped, tick: () => ticks.map((task) => task()) };
}

test('a repository in use is refreshed when its trust is half an hour old', async (t) => {
  const { judge, authority, fetch, clock } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(30 * MINUTE - 1);
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 4);
  clock.advance(1);
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 5);
});

test('a timestamp of a short life is renewed after half of it', async (t) => {
  const repository = signedRepository();
  repository.publish(NOW, { timestamp: new Date(NOW.getTime() + 4 * MINUTE) });
  const { judge, authority, fetch, clock } = await notaryClient(t, repository, { refresh: DAY });
  await judge('1.0');
  clock.advance(2 * MINUTE - 1);
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 4);
  clock.advance(1);
  repository.publish(clock.now());
  await authority.refreshDue(clock.now());
  clock.advance(3 * MINUTE);
  fetch.fault = new MetadataUnavailable('connection refused');
  assert.equal(outcomeOf(await judge('1.0')), 'vouched', 'the new timestamp was there before the old one expired');
});

test('a repository that nobody asked about for a day is left alone', async (t) => {
  const { judge, authority, fetch, clock } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(DAY + 1);
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 4);
});

test('a repository that was found unsigned is not asked for in the background', async (t) => {
  const repository = signedRepository();
  repository.files.clear();
  const { judge, authority, fetch, clock } = await notaryClient(t, repository);
  await judge('1.0');
  clock.advance(DAY / 2);
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 1);
});

test('what the background finds out counts: a bad answer is not used up to the next refresh', async (t) => {
  const { judge, authority, clock, repository, log } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(DAY / 2);
  repository.restore(signedRepository().stored());
  await authority.refreshDue(clock.now());
  assert.equal(log.at('warn').length, 1);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
});

test('after a failure in the background there is a pause', async (t) => {
  const { judge, authority, clock, fetch } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(DAY / 2);
  fetch.fault = new MetadataUnavailable('connection refused');
  await authority.refreshDue(clock.now());
  await authority.refreshDue(clock.now());
  assert.equal(fetch.requests.length, 5);
});

test('ticks come once a minute, one at a time, and end with close, which waits for what is under way', async (t) => {
  const { schedule, stopped, tick } = handSchedule();
  const { judge, authority, clock, fetch } = await notaryClient(t, signedRepository(), { refresh: DAY, schedule });
  await judge('1.0');
  clock.advance(DAY / 2);
  const gate = Promise.withResolvers<void>();
  fetch.held = gate.promise;
  tick();
  tick();
  const asking = judge('1.0', SECOND);
  let closed = false;
  const closing = authority.close().then(() => {
    closed = true;
  });
  assert.deepEqual(stopped, [MINUTE]);
  await new Promise(setImmediate);
  assert.equal(closed, false);
  gate.resolve();
  await closing;
  assert.equal(fetch.requests.length, 5);
  assert.equal(outcomeOf(await asking), 'vouched');
});
