import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import {
  DAY,
  HOUR,
  IMAGE,
  NOW,
  OTHER_IMAGE,
  outcomeOf,
  SECOND,
  signedRepository,
  TARGET,
  tufClient,
} from '../../support/tuf-client.ts';
import { TufRepository } from '../../support/tuf-repository.ts';

for (const [kind, options] of [
  ['consistent snapshots and hashes', {}],
  ['consistent snapshots, no hashes', { hashes: false }],
  ['files without versions in their names', { consistent: false }],
] as const) {
  test(`with ${kind} a target is vouched for by tag and digest, again after news and a restart`, async (t) => {
    const repository = new TufRepository({ now: NOW, ...options });
    repository.delegate('acme', { paths: ['docker.io/acme/*'] });
    repository.sign(TARGET, IMAGE, 'acme');
    repository.publish();
    const { judge, reopen } = await tufClient(t, repository, {
      root: repository.files.get('1.root.json') ?? Buffer.alloc(0),
    });
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    repository.sign(TARGET, OTHER_IMAGE, 'acme');
    repository.publish();
    for (const ask of [judge, (await reopen()).judge]) {
      const finding = await ask('1.0');
      assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
      assert.equal(outcomeOf(await ask(OTHER_IMAGE.digest)), 'vouched');
      assert.equal(outcomeOf(await ask(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
      assert.equal(outcomeOf(await ask('2.0')), 'TAG_NOT_SIGNED');
    }
  });
}

test('what is vouched for says its size, its end, its state and what it rests on', async (t) => {
  const { judge, repository } = await tufClient(t);
  const first = await judge('1.0');
  assert.ok(first.outcome === 'vouched');
  assert.deepEqual(
    [first.digest, first.size, first.refreshedAt, first.validUntil],
    [IMAGE.digest, IMAGE.size, NOW, new Date(NOW.getTime() + 30 * DAY)],
  );
  assert.deepEqual(
    first.evidence.map(({ text }) => text.replace(/, good until .*/, '')),
    [
      'root 1 is the pinned one, signed by 1 of its keys',
      'timestamp 1 is signed by 1 of its keys',
      'snapshot 1 is signed by 1 of its keys',
      'targets 1 is signed by 1 of its keys',
      `targets says that ${TARGET} is ${IMAGE.digest}`,
    ],
  );
  assert.deepEqual(first.evidence[1]?.facts?.keys, [repository.role('timestamp').keys[0]?.id]);
  repository.publishTimestamp();
  const second = await judge('1.0');
  assert.ok(second.outcome === 'vouched');
  assert.notEqual(second.stateVersion, first.stateVersion);
});

test('an answer is used for as long as `refresh` says', async (t) => {
  const { judge, clock, fetch } = await tufClient(t, signedRepository(), { refresh: 10 * SECOND });
  await judge('1.0');
  const asked = fetch.requests.length;
  clock.advance(10 * SECOND - 1);
  await judge('1.0');
  assert.equal(fetch.requests.length, asked);
  clock.advance(1);
  await judge('1.0');
  assert.deepEqual(
    fetch.requests.slice(asked),
    ['2.root.json', 'timestamp.json'],
    'two small files tell that nothing is new',
  );
});

test('only roles whose version has changed are fetched again, also after a restart', async (t) => {
  const repository = new TufRepository({ now: NOW });
  for (let at = 0; at < 40; at += 1) repository.delegate(`team${at}`, { paths: [`docker.io/team${at}/*`] });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  const { judge, reopen, fetch } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  for (const ask of [judge, (await reopen()).judge]) {
    fetch.requests.length = 0;
    repository.sign(TARGET, IMAGE, 'acme');
    repository.publish();
    assert.equal(outcomeOf(await ask('1.0')), 'vouched');
    const roles = fetch.requests.filter((name) => /team|acme/.test(name));
    assert.deepEqual(roles, [repository.fileOf('acme')]);
  }
});

test('a few hundred roles with thousands of targets: each image is found in its own', async (t) => {
  const repository = new TufRepository({ now: NOW });
  const key = repository.role('targets').keys;
  for (let at = 0; at < 400; at += 1) {
    repository.delegate(`team${at}`, { paths: [`docker.io/team${at}/*`], keys: key });
    for (let tag = 0; tag < 20; tag += 1) repository.sign(`docker.io/team${at}/app:${tag}`, IMAGE, `team${at}`);
  }
  repository.publish();
  const { judge, authority } = await tufClient(t, repository);
  for (const at of [0, 199, 399]) {
    assert.equal(outcomeOf(await judge('19', { repository: `team${at}/app` })), 'vouched');
    assert.equal(outcomeOf(await judge(IMAGE.digest, { repository: `team${at}/app` })), 'vouched');
    assert.equal(outcomeOf(await judge('20', { repository: `team${at}/app` })), 'TAG_NOT_SIGNED');
  }
  assert.equal(Object.keys(authority.status().trust[0]?.versions ?? {}).length, 404);
});

test('the status names every role with its version and end, when it was refreshed, and why not', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  const { judge, authority, fetch, clock } = await tufClient(t, repository);
  assert.deepEqual(authority.status(), {
    name: 'org',
    kind: 'tuf',
    trust: [
      {
        of: 'https://tuf.example/metadata/',
        refreshedAt: undefined,
        failure: undefined,
        versions: {},
        expiries: [],
      },
    ],
  });
  await judge('1.0');
  clock.advance(HOUR);
  await judge('1.0');
  const [good] = authority.status().trust;
  assert.deepEqual(good?.refreshedAt, clock.now());
  assert.deepEqual(good?.versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1, acme: 1 });
  const day = (days: number) => new Date(NOW.getTime() + days * DAY);
  assert.deepEqual(good?.expiries, [
    { what: 'root', at: day(365), renewal: 'by-hand' },
    { what: 'timestamp', at: day(30), renewal: 'online', since: NOW },
    { what: 'snapshot', at: day(60), renewal: 'online' },
    { what: 'targets', at: day(120), renewal: 'by-hand' },
    { what: 'acme', at: day(90), renewal: 'by-hand' },
  ]);
  fetch.fault = new MetadataUnavailable('connection refused');
  clock.advance(HOUR);
  await judge('1.0');
  const failure = authority.status().trust[0]?.failure;
  assert.equal(failure?.reason, 'TRUST_UNREACHABLE');
  assert.match(failure?.message ?? '', /connection refused/);
  assert.deepEqual(failure?.at, clock.now());
});

test('in the background it is loaded, refreshed before it is old, and not asked for more often than that', async (t) => {
  const ticks: (() => void)[] = [];
  const { authority, clock, fetch } = await tufClient(t, signedRepository(), {
    refresh: 10 * SECOND,
    schedule: (task) => {
      ticks.push(task);
      return () => ticks.splice(0);
    },
  });
  assert.equal(ticks.length, 1);
  await authority.keepFresh();
  assert.deepEqual(authority.status().trust[0]?.refreshedAt, NOW);
  const asked = fetch.requests.length;
  clock.advance(HOUR / 2 - 1);
  await authority.keepFresh();
  assert.equal(fetch.requests.length, asked);
  clock.advance(1);
  await authority.keepFresh();
  assert.ok(fetch.requests.length > asked);
  assert.deepEqual(authority.status().trust[0]?.refreshedAt, clock.now());
  await authority.close();
  assert.equal(ticks.length, 0, 'and is no longer scheduled once it is closed');
});

test('an outage is not waited for at every pull', async (t) => {
  const { judge, clock, fetch } = await tufClient(t);
  fetch.fault = new MetadataUnavailable('connection refused');
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_UNREACHABLE');
  const asked = fetch.requests.length;
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_UNREACHABLE');
  assert.equal(fetch.requests.length, asked);
  fetch.fault = undefined;
  clock.advance(6 * SECOND);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a pull by sha512 is vouched for where the target has that hash too', async (t) => {
  const repository = signedRepository();
  const sha512 = 'ab'.repeat(64);
  repository.edit('targets', ({ targets }) => {
    targets[TARGET].hashes.sha512 = sha512;
  });
  const { judge } = await tufClient(t, repository);
  const finding = await judge(`sha512:${sha512}`);
  assert.equal(finding.outcome === 'vouched' && finding.digest, `sha512:${sha512}`);
  assert.equal(outcomeOf(await judge(`sha512:${'cd'.repeat(64)}`)), 'DIGEST_NOT_SIGNED');
});

test('what tuf-js refuses is refused, though we would take it: here by its clock, which is the system’s', async (t) => {
  const repository = signedRepository();
  repository.edit('timestamp', (part) => {
    part.expires = new Date(NOW.getTime() - DAY).toISOString();
  });
  const { judge, clock } = await tufClient(t, repository);
  clock.advance(-2 * DAY);
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'METADATA_INVALID');
  assert.match(finding.outcome === 'vouched' ? '' : finding.message, /refused by tuf-js: .*expired/);
});
