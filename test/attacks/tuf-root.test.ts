/** TUF specification 5.3: the pinned root, and only what follows from it version by version, by the keys of the one before and by its own. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { TufAuthority } from '../../trust/tuf/authority.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { IMAGE, NOW, outcomeOf, signedRepository, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository, testKey } from '../support/tuf-repository.ts';

test('several rotations at once are followed, and again after a restart', async (t) => {
  const repository = signedRepository();
  for (let times = 0; times < 5; times += 1) repository.rotate('root');
  repository.publish();
  const { judge, reopen, fetch } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'vouched');
  assert.match(JSON.stringify(finding), /root 6 follows from root 1 version by version/);
  const { judge: restarted } = await reopen();
  fetch.requests.length = 0;
  assert.equal(outcomeOf(await restarted('1.0')), 'vouched');
  assert.deepEqual(fetch.requests, ['7.root.json', 'timestamp.json']);
});

test('a running authority follows a rotation of every key without a restart', async (t) => {
  const { judge, repository, log } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  for (const role of ['root', 'timestamp', 'snapshot', 'targets']) repository.rotate(role);
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.deepEqual(
    log.at('info').map(({ facts }) => (facts as { root: number }).root),
    [1, 5],
  );
});

interface Case {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: TufRepository): void;
}

const CASES: readonly Case[] = [
  {
    cause: 'a next root that the keys of the one before did not sign',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => {
      repository.roles.set('root', { keys: [testKey()], threshold: 1 });
      repository.part('root').version += 1;
      repository.write('root');
    },
  },
  {
    cause: 'a next root that its own keys did not sign',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) => {
      const before = repository.role('root').keys;
      repository.roles.set('root', { keys: [testKey()], threshold: 1 });
      repository.part('root').version += 1;
      repository.write('root', before);
    },
  },
  {
    cause: 'a next root with another version than its name',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => {
      repository.part('root').version = 7;
      repository.write('root');
      repository.files.set('2.root.json', repository.files.get('7.root.json') ?? Buffer.alloc(0));
    },
  },
  {
    cause: 'the same root again under the next name',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => {
      repository.files.set('2.root.json', repository.root());
    },
  },
  {
    cause: 'a page of HTML as the next root',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      repository.files.set('2.root.json', Buffer.from('<!doctype html><h1>Log in</h1>'));
    },
  },
];

for (const { cause, outcome, bend } of CASES) {
  test(`${cause}: ${outcome}, and the root in force stays`, async (t) => {
    const { judge, repository, reopen } = await tufClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    const honest = repository.stored();
    bend(repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0')), outcome);
    repository.restore(honest);
    assert.equal(outcomeOf(await restarted('1.0')), 'vouched');
  });
}

for (const [signers, outcome] of [
  [1, 'KEY_NOT_TRUSTED'],
  [2, 'vouched'],
] as const) {
  test(`a root of threshold 2 hands over with ${signers} of its keys: ${outcome}`, async (t) => {
    const repository = signedRepository();
    const keys = [testKey(), testKey()];
    repository.rotate('root', keys, 2);
    repository.publish();
    const { judge } = await tufClient(t, repository, { root: repository.root(2) });
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    const fresh = testKey();
    repository.roles.set('root', { keys: [fresh], threshold: 1 });
    repository.part('root').version = 3;
    repository.write('root', [fresh, ...keys.slice(0, signers)]);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('the pinned root of another repository: nothing of this one is believed', async (t) => {
  const other = signedRepository();
  const { judge } = await tufClient(t, signedRepository(), { root: other.root() });
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
});

test('another pinned root: trust is anchored anew, whatever is remembered', async (t) => {
  const repository = signedRepository();
  repository.rotate('root');
  repository.publish();
  const client = await tufClient(t, repository);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  const other = signedRepository();
  const { judge: pinned } = await client.reopen({ root: other.root() });
  assert.equal(outcomeOf(await pinned('1.0')), 'KEY_NOT_TRUSTED', 'the source still has the first one');
  client.fetch.fault = new MetadataUnavailable('connection refused');
  const { judge: offline } = await client.reopen({ root: other.root() });
  assert.equal(outcomeOf(await offline('1.0')), 'TRUST_UNREACHABLE', 'what is remembered does not stand in');
  client.fetch.fault = undefined;
  repository.restore(other.stored());
  const { judge: founded } = await client.reopen({ root: other.root() });
  assert.equal(outcomeOf(await founded('1.0')), 'vouched', 'a repository founded anew begins at its own version 1');
  const { judge: back } = await client.reopen();
  assert.equal(outcomeOf(await back('1.0')), 'SIGNATURE_INVALID');
});

for (const [which, pinned] of [
  ['the same root', 1],
  ['a later root of the same repository', 2],
] as const) {
  test(`with ${which} pinned and the state folder removed, an older root is no start, though all else is new`, async (t) => {
    const repository = signedRepository();
    repository.rotate('root');
    repository.rotate('root');
    repository.publish();
    const client = await tufClient(t, repository);
    assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
    const root = repository.root(pinned);
    await rm(join(client.home, 'trust'), { recursive: true });
    repository.files.delete('3.root.json');
    const { judge } = await client.reopen({ root });
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  });
}

test('a later root of the same chain as the pin is the same trust', async (t) => {
  const repository = signedRepository();
  repository.rotate('root');
  repository.publish();
  const { judge, reopen } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const { judge: later } = await reopen({ root: repository.root(2) });
  assert.equal(outcomeOf(await later('1.0')), 'vouched');
});

test('an expired pinned root is a start as long as a later one is not expired', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.sign(TARGET, IMAGE);
  const { expires } = repository.part('root');
  repository.part('root').expires = '2020-01-01T00:00:00Z';
  repository.publish();
  repository.files.set('1.root.json', repository.root());
  const pinned = repository.root();
  repository.part('root').expires = expires;
  repository.rotate('root', repository.role('root').keys);
  const { judge } = await tufClient(t, repository, { root: pinned });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

for (const [cause, root, message] of [
  ['a page of HTML', '<html></html>', /expected TUF metadata \(JSON\), got a page of HTML/],
  ['a targets file', undefined, /expected metadata of type root, got "targets"/],
  ['half of a root', signedRepository().root().subarray(0, 200).toString(), /root.*expected/],
] as const) {
  test(`${cause} as the pinned root: said when the authority is made`, () => {
    const targets = signedRepository().files.get('1.targets.json') ?? Buffer.alloc(0);
    const make = () =>
      new TufAuthority({
        name: 'org',
        source: { address: 'x', look: () => ({ get: async () => undefined }) },
        root: root === undefined ? targets : Buffer.from(root),
        target: '{registry}/{repository}:{tag}',
        roles: [],
        refresh: 0,
        folder: '/nowhere/trust/org',
        floors: '/nowhere/floors/org',
        readOnly: true,
        log: new RecordingLog(),
        now: () => NOW,
      });
    assert.throws(make, message);
  });
}
