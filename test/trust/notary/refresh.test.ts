import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import {
  DAY,
  IMAGE,
  NOW,
  notaryClient,
  OTHER_IMAGE,
  outcomeOf,
  SECOND,
  signedRepository,
} from '../../support/notary-client.ts';

const TEN_SECONDS = { refresh: 10 * SECOND };

function refused(message = 'connection refused', retryAfter?: number): MetadataUnavailable {
  return new MetadataUnavailable(message, { retryAfter });
}

test('a successful refresh is used for its time, and then the server is asked again, for the timestamp alone', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t, signedRepository(), TEN_SECONDS);
  await judge('1.0');
  assert.equal(fetch.requests.length, 4);
  clock.advance(10 * SECOND - 1);
  await judge('1.0');
  await judge('2.0');
  await judge(IMAGE.digest);
  assert.equal(fetch.requests.length, 4);
  clock.advance(1);
  await judge('1.0');
  assert.deepEqual(fetch.requests.slice(4), ['timestamp.json']);
});

test('a timestamp that names the same snapshot needs no other file', async (t) => {
  const { judge, fetch, repository } = await notaryClient(t);
  await judge('1.0');
  repository.edit('timestamp', (part) => {
    part.version += 1;
  });
  const finding = await judge('1.0');
  assert.match(finding.evidence.map(({ text }) => text).join(), /timestamp 2/);
  assert.deepEqual(fetch.requests.slice(4), ['timestamp.json']);
});

test('a new publication needs only the files that changed', async (t) => {
  const repository = signedRepository();
  repository.delegate('targets/alice');
  repository.sign('1.0', IMAGE, 'targets/alice');
  repository.publish(NOW);
  const { judge, fetch } = await notaryClient(t, repository);
  await judge('1.0');
  repository.sign('1.0', OTHER_IMAGE);
  repository.publish(NOW);
  fetch.requests.length = 0;
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
  assert.deepEqual(
    fetch.requests.map((file) => file.split('.')[0]),
    ['timestamp', 'snapshot', 'targets'],
  );
});

test('a rule that asks for fresher trust than the refresh time is asked for again', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(5 * SECOND);
  await judge('1.0', 6 * SECOND);
  assert.equal(fetch.requests.length, 4);
  const finding = await judge('1.0', 4 * SECOND);
  assert.equal(finding.outcome === 'vouched' && finding.refreshedAt.getTime(), NOW.getTime() + 5 * SECOND);
  assert.equal(fetch.requests.length, 5);
  await judge('1.0', 0);
  assert.equal(fetch.requests.length, 6);
});

test('a hundred questions at once are one refresh', async (t) => {
  const { judge, fetch } = await notaryClient(t);
  const findings = await Promise.all(Array.from({ length: 100 }, () => judge('1.0')));
  assert.deepEqual(new Set(findings.map(outcomeOf)), new Set(['vouched']));
  assert.equal(fetch.requests.length, 4);
  fetch.fault = refused();
  const failing = await Promise.all(Array.from({ length: 100 }, () => judge('1.0', 0)));
  assert.deepEqual(new Set(failing.map(outcomeOf)), new Set(['vouched']));
  assert.equal(fetch.requests.length, 5);
});

test('who joins a refresh that began too long ago for them has another one', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t);
  const gate = Promise.withResolvers<void>();
  fetch.held = gate.promise;
  const first = judge('1.0');
  clock.advance(5 * SECOND);
  const joining = judge('1.0', SECOND);
  gate.resolve();
  assert.equal(outcomeOf(await first), 'vouched');
  const finding = await joining;
  assert.equal(finding.outcome === 'vouched' && finding.refreshedAt.getTime(), NOW.getTime() + 5 * SECOND);
});

test('repositories do not wait for each other', async (t) => {
  const { authority, fetch, judge } = await notaryClient(t);
  const gate = Promise.withResolvers<void>();
  fetch.held = gate.promise;
  const slow = judge('1.0');
  fetch.held = undefined;
  const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('other') };
  const other = await authority.judge({ name, reference: parseReference('1'), now: NOW, maxAge: DAY });
  assert.equal(outcomeOf(other), 'KEY_NOT_TRUSTED');
  gate.resolve();
  assert.equal(outcomeOf(await slow), 'vouched');
});

test('in an outage what is remembered is used as long as the rule allows, and says so', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t, signedRepository(), TEN_SECONDS);
  await judge('1.0');
  fetch.fault = refused();
  clock.advance(DAY);
  const finding = await judge('1.0', DAY);
  assert.equal(finding.outcome === 'vouched' && finding.refreshedAt.getTime(), NOW.getTime());
  assert.deepEqual(
    { ...finding.evidence[0], facts: {} },
    {
      ok: false,
      text: 'trust was last refreshed 2026-06-01T12:00:00.000Z: the trust server could not be asked (connection refused)',
      facts: {},
    },
  );
  const stale = await judge('1.0', DAY - 1);
  assert.equal(outcomeOf(stale), 'TRUST_STALE');
  assert.equal(stale.outcome === 'undetermined' && stale.retryAfter, 5);
});

test('in an outage nothing that has expired is used, however young', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t);
  await judge('1.0');
  fetch.fault = refused();
  clock.advance(14 * DAY);
  const finding = await judge('1.0', 365 * DAY);
  assert.equal(outcomeOf(finding), 'TRUST_STALE');
  assert.match('message' in finding ? finding.message : '', /expired 2026-06-15T12:00:00.000Z/);
});

test('in an outage with nothing remembered it says that the server could not be asked', async (t) => {
  const { judge, fetch } = await notaryClient(t);
  fetch.fault = refused();
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_UNREACHABLE');
  assert.equal(finding.outcome === 'undetermined' && finding.retryAfter, 5);
});

test('an outage in the middle of a refresh changes nothing', async (t) => {
  const { judge, fetch, repository } = await notaryClient(t);
  await judge('1.0');
  repository.sign('1.0', OTHER_IMAGE);
  repository.publish(NOW);
  fetch.answer = (file) => {
    if (file.startsWith('targets.')) throw refused();
    return undefined;
  };
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
});

for (const [wanted, pause] of [
  [undefined, 5],
  [1, 5],
  [20, 20],
  [86_400, 60],
] as const) {
  test(`a server that asks for ${wanted ?? 'no'} seconds of patience is left alone for ${pause}`, async (t) => {
    const { judge, fetch, clock } = await notaryClient(t);
    fetch.fault = refused('too many requests', wanted);
    const finding = await judge('1.0');
    assert.equal(finding.outcome === 'undetermined' && finding.retryAfter, pause);
    clock.advance(pause * SECOND - 1);
    await judge('1.0');
    assert.equal(fetch.requests.length, 1);
    clock.advance(1);
    fetch.fault = undefined;
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  });
}

test('a refusal is kept for a second, so that an unsigned image pulled in a loop does not load the server', async (t) => {
  const { judge, fetch, clock, repository } = await notaryClient(t, signedRepository(), TEN_SECONDS);
  const files = repository.stored();
  repository.restore(new Map());
  for (let pull = 0; pull < 10; pull += 1) assert.equal(outcomeOf(await judge('1.0')), 'NOT_SIGNED');
  assert.equal(fetch.requests.length, 1);
  clock.advance(SECOND);
  repository.restore(files);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a clock that was set back makes what is remembered stale, and prolongs no pause', async (t) => {
  const { judge, fetch, clock } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(-60 * SECOND);
  fetch.fault = refused();
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STALE');
  clock.advance(-60 * SECOND);
  fetch.fault = undefined;
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a refresh that takes longer than its budget is an outage, and its late answer goes nowhere', async (t) => {
  const { judge, fetch, reopen } = await notaryClient(t, signedRepository(), { budget: 10 });
  const gate = Promise.withResolvers<void>();
  fetch.held = gate.promise;
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_UNREACHABLE');
  assert.match('message' in finding ? finding.message : '', /no complete answer within 10 ms/);
  gate.resolve();
  fetch.fault = refused();
  const { judge: restarted } = await reopen();
  assert.equal(outcomeOf(await restarted('1.0')), 'TRUST_UNREACHABLE', 'nothing was kept');
});

test('an unexpected error is no admission and no refusal, but undetermined, and logged whole', async (t) => {
  const { judge, fetch, log } = await notaryClient(t);
  await judge('1.0');
  fetch.fault = new TypeError('a bug');
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'INTERNAL');
  assert.doesNotMatch('message' in finding ? finding.message : '', /a bug/);
  assert.equal(log.at('error').length, 1);
  fetch.fault = undefined;
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a publication that comes between the root and the rest is no fault', async (t) => {
  const repository = signedRepository();
  const { judge, fetch } = await notaryClient(t, repository);
  let published = false;
  fetch.answer = (file) => {
    if (published || file !== 'timestamp.json') return undefined;
    published = true;
    repository.rotate('root');
    repository.rotate('timestamp');
    repository.publish(NOW);
    return undefined;
  };
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.deepEqual(
    fetch.requests.map((file) => file.split('.')[0]),
    ['root', 'timestamp', 'root', 'timestamp', 'snapshot', 'targets'],
  );
});
