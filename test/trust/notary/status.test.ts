import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import type { Gun } from '../../../trust/notary/gun.ts';
import { KnownTrust } from '../../../trust/notary/known-trust.ts';
import { recallAll } from '../../../trust/notary/recall.ts';
import { NODE_DISK } from '../../../trust/state/disk.ts';
import { FaultyDisk } from '../../support/faulty-disk.ts';
import {
  DAY,
  GUN,
  NOW,
  type NotaryClient,
  notaryClient,
  outcomeOf,
  SECOND,
  signedRepository,
} from '../../support/notary-client.ts';

const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function askAbout(client: NotaryClient, repository: string) {
  const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName(repository) };
  return client.authority.judge({ name, reference: parseReference('1'), now: client.clock.now(), maxAge: DAY });
}

/** A folder in which a repository was remembered by a process that has ended. */
async function remembered(t: TestContext) {
  const client = await notaryClient(t);
  await client.judge('1.0');
  await client.authority.close();
  return client;
}

test('the status tells versions, ends and the last refresh of what was asked about', async (t) => {
  const repository = signedRepository();
  repository.delegate('targets/releases');
  repository.sign('1.0', { digest: `sha256:${'0'.repeat(64)}`, size: 1 }, 'targets/releases');
  repository.publish(NOW, { 'targets/releases': new Date(NOW.getTime() + DAY) });
  const { judge, authority } = await notaryClient(t, repository);
  await judge('1.0');
  const [trust, ...others] = authority.status().trust;
  assert.deepEqual(others, []);
  assert.equal(trust?.of, GUN);
  assert.deepEqual(trust.refreshedAt, NOW);
  assert.deepEqual(trust.versions, { root: 1, timestamp: 2, snapshot: 2, targets: 2, 'targets/releases': 1 });
  assert.deepEqual(
    trust.expiries.map(({ what, at, renewal }) => [what, at.toISOString().slice(0, 10), renewal]),
    [
      ['root', '2036-05-29', 'by-hand'],
      ['certificate of the root key', '2036-05-29', 'by-hand'],
      ['timestamp', '2026-06-15', 'on-demand'],
      ['snapshot', '2029-05-31', 'by-hand'],
      ['targets', '2029-05-31', 'by-hand'],
      ['targets/releases', '2026-06-02', 'by-hand'],
    ],
  );
});

test('a refresh that fails keeps its reason, with what is still trusted, until one succeeds', async (t) => {
  const { judge, authority, fetch, clock } = await notaryClient(t);
  await judge('1.0');
  clock.advance(DAY);
  fetch.fault = new MetadataUnavailable('connection refused');
  await judge('1.0');
  const [failing] = authority.status().trust;
  assert.deepEqual(failing?.failure, {
    reason: 'TRUST_UNREACHABLE',
    message: 'the trust server could not be asked (connection refused)',
    at: clock.now(),
  });
  assert.deepEqual([failing.refreshedAt, failing.versions.root], [NOW, 1]);
  fetch.fault = undefined;
  clock.advance(DAY);
  await judge('1.0');
  assert.equal(authority.status().trust[0]?.failure, undefined);
});

test('after a restart the status tells of what is on disk once it was recalled, asking nobody and writing nothing', async (t) => {
  const before = await remembered(t);
  const disk = new FaultyDisk();
  const { authority, fetch } = await before.reopen({ disk });
  assert.deepEqual(authority.status().trust, []);
  const asked = fetch.requests.length;
  await authority.recall();
  assert.deepEqual(authority.status().trust, before.authority.status().trust);
  assert.equal(fetch.requests.length, asked);
  assert.deepEqual(disk.steps, []);
});

test('what this process found out stands before what is on disk', async (t) => {
  const { authority, judge, repository, clock } = await (await remembered(t)).reopen();
  await authority.recall();
  clock.advance(DAY);
  repository.publish(clock.now());
  await judge('1.0');
  const trust = authority.status().trust;
  assert.deepEqual(
    trust.map(({ refreshedAt, versions }) => [refreshedAt, versions.timestamp]),
    [[clock.now(), 2]],
  );
  await authority.recall();
  assert.deepEqual(authority.status().trust, trust);
});

test('a repository that left the memory is still told of, but not of its failure, which nobody would clear', async (t) => {
  const limits = { repositories: 1, bytes: Number.MAX_SAFE_INTEGER };
  const client = await notaryClient(t, signedRepository(), { limits });
  await client.judge('1.0');
  client.clock.advance(DAY);
  client.fetch.fault = new MetadataUnavailable('connection refused');
  await client.judge('1.0');
  await askAbout(client, 'acme/other');
  const told = client.authority.status().trust.find(({ of }) => of === GUN);
  assert.deepEqual([told?.versions.root, told?.failure], [1, undefined]);
});

test('an image that was never trusted is no news for the status, a server that is out at first contact is', async (t) => {
  const client = await notaryClient(t);
  assert.equal(outcomeOf(await askAbout(client, 'acme/of-another-root')), 'KEY_NOT_TRUSTED');
  client.fetch.answer = () => ({ kind: 'missing' });
  assert.equal(outcomeOf(await askAbout(client, 'acme/unsigned')), 'NOT_SIGNED');
  assert.deepEqual(client.authority.status().trust, []);
  client.fetch.fault = new MetadataUnavailable('connection refused');
  await askAbout(client, 'acme/first');
  assert.deepEqual(
    client.authority.status().trust.map(({ of, failure }) => [of, failure?.reason]),
    [['docker.io/acme/first', 'TRUST_UNREACHABLE']],
  );
});

test('a first contact that failed an hour ago is nobody’s concern any more', () => {
  const known = new KnownTrust();
  const lately = told('a', undefined, 'TRUST_UNREACHABLE');
  assert.equal(known.all([lately], new Date(NOW.getTime() + HOUR - 1)).length, 1);
  assert.equal(known.all([lately], new Date(NOW.getTime() + HOUR)).length, 0);
});

test('a repository whose refresh failed when it was last in use is tried seldom, until it is well again', async (t) => {
  const { judge, authority, fetch, clock } = await notaryClient(t, signedRepository(), { refresh: DAY });
  await judge('1.0');
  clock.advance(DAY);
  fetch.fault = new MetadataUnavailable('connection refused');
  await authority.refreshDue(clock.now());
  const asked = () => fetch.requests.length;
  const before = asked();
  clock.advance(30 * MINUTE - 1);
  await authority.refreshDue(clock.now());
  assert.equal(asked(), before);
  assert.equal(authority.status().trust[0]?.failure?.reason, 'TRUST_UNREACHABLE');
  fetch.fault = undefined;
  clock.advance(1);
  await authority.refreshDue(clock.now());
  assert.equal(asked(), before + 1);
  assert.equal(authority.status().trust[0]?.failure, undefined);
  clock.advance(DAY);
  await authority.refreshDue(clock.now());
  assert.equal(asked(), before + 1, 'then it is left alone');
});

test('trust data that was withdrawn is news', async (t) => {
  const { judge, authority, repository } = await notaryClient(t);
  await judge('1.0');
  repository.files.clear();
  await judge('1.0');
  assert.deepEqual(
    authority.status().trust.map(({ failure }) => failure?.reason),
    ['NOT_SIGNED'],
  );
});

async function damaged(t: TestContext, spoil: (folder: string) => Promise<void>) {
  const before = await remembered(t);
  const [name = ''] = await readdir(before.folder);
  await spoil(join(before.folder, name));
  return { ...(await before.reopen()), name };
}

const damages: readonly (readonly [what: string, spoil: (folder: string) => Promise<void>])[] = [
  ['a cut state', (folder) => truncate(join(folder, 'state'), 100)],
  ['a lost state', (folder) => rm(join(folder, 'state'))],
  ['a lost generation', (folder) => rm(join(folder, 'generation'))],
];

for (const [what, spoil] of damages) {
  test(`${what} shows before a pull finds it, and is no start for another`, async (t) => {
    const { authority, name, judge } = await damaged(t, spoil);
    await authority.recall();
    const [trust, ...others] = authority.status().trust;
    assert.deepEqual(others, []);
    assert.equal(trust?.failure?.reason, 'TRUST_STATE_DAMAGED');
    assert.match(trust.failure.message, new RegExp(`restore .*${name} from its newest backup`));
    assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED');
    assert.deepEqual(
      authority.status().trust.map(({ of, failure }) => [of, failure?.reason]),
      [[GUN, 'TRUST_STATE_DAMAGED']],
      'told of once, with the name of the repository now that a pull gave it',
    );
  });
}

test('damage that a pull found is no longer told once the state was mended', async (t) => {
  const before = await remembered(t);
  const [name = ''] = await readdir(before.folder);
  const path = join(before.folder, name, 'state');
  const state = await readFile(path);
  await truncate(path, 100);
  const { authority, judge } = await before.reopen();
  await judge('1.0');
  assert.equal(authority.status().trust[0]?.failure?.reason, 'TRUST_STATE_DAMAGED');
  await writeFile(path, state);
  await judge('1.0');
  assert.equal(authority.status().trust[0]?.failure, undefined);
});

test("the state of one repository in another's folder is damage", async (t) => {
  const before = await remembered(t);
  const [name = ''] = await readdir(before.folder);
  const other = join(before.folder, `docker.io_acme_other-${'0'.repeat(32)}`);
  await mkdir(other);
  for (const file of await readdir(join(before.folder, name))) {
    await writeFile(join(other, file), await readFile(join(before.folder, name, file)));
  }
  const { statuses } = await recallAll(before.folder, { disk: NODE_DISK, now: NOW });
  assert.deepEqual([...statuses.values()].map(({ of, failure }) => [of, failure?.reason]).sort(), [
    [GUN, undefined],
    [`docker.io_acme_other-${'0'.repeat(32)}`, 'TRUST_STATE_DAMAGED'],
  ]);
});

test('what else lies in the folder is not taken for a repository', async (t) => {
  const before = await remembered(t);
  const [name = ''] = await readdir(before.folder);
  await mkdir(join(before.folder, `${name}.new`));
  await writeFile(join(before.folder, 'notes.txt'), 'mine');
  const { statuses } = await recallAll(before.folder, { disk: NODE_DISK, now: NOW });
  assert.deepEqual([...statuses.keys()], [name]);
});

test('no more repositories are read than the limit, and it is said how many were left out', async (t) => {
  const { folder } = await remembered(t);
  for (const digit of ['1', '2']) await mkdir(join(folder, `zzz-${digit.repeat(32)}`));
  const { statuses, leftOut } = await recallAll(folder, { disk: NODE_DISK, now: NOW, limit: 2 });
  assert.equal(statuses.size, 2);
  assert.equal(leftOut, 1);
});

test('a folder that is not there yet has nothing in it, and one that cannot be read is an error', async (t) => {
  const { folder } = await remembered(t);
  const nowhere = await recallAll(join(folder, 'nowhere'), { disk: NODE_DISK, now: NOW });
  assert.deepEqual([nowhere.statuses.size, nowhere.leftOut], [0, 0]);
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(recallAll(join(folder, 'file'), { disk: NODE_DISK, now: NOW }), { code: 'ENOTDIR' });
});

function told(of: string, refreshedAt: Date | undefined, reason?: 'TRUST_UNREACHABLE' | 'TRUST_STATE_DAMAGED') {
  const failure = reason && { reason, message: 'down', at: NOW };
  return { gun: of as Gun, status: () => ({ of, refreshedAt, failure, versions: {}, expiries: [] }) };
}

test('names that were made up during an outage do not drive out what is trusted', () => {
  const known = new KnownTrust(2);
  known.left(told('trusted', NOW));
  for (const name of ['a', 'b', 'c']) known.left(told(name, undefined, 'TRUST_UNREACHABLE'));
  assert.deepEqual(
    known.all([], NOW).map(({ of }) => of),
    ['trusted'],
  );
});

test('what was heard of while the disk was read is newer than what was read', async (t) => {
  const { folder } = await remembered(t);
  const known = new KnownTrust();
  const later = new Date(NOW.getTime() + DAY);
  known.left(told(GUN, later));
  await known.recall(folder, { disk: NODE_DISK, now: NOW });
  assert.deepEqual(
    known.all([], NOW).map(({ refreshedAt }) => refreshedAt),
    [later],
  );
});

test('damage that a pull found is told of when the repository has left the memory', () => {
  const known = new KnownTrust();
  known.left(told('a', undefined, 'TRUST_STATE_DAMAGED'));
  assert.equal(known.all([], NOW)[0]?.failure?.reason, 'TRUST_STATE_DAMAGED');
});

test('of more repositories than the limit the one heard of longest ago is left out', () => {
  const known = new KnownTrust(2);
  for (const name of ['a', 'b', 'a', 'c']) known.left(told(name, NOW));
  assert.deepEqual(
    known.all([], NOW).map(({ of }) => of),
    ['a', 'c'],
  );
});

test('a process that runs past a root rotation follows it without a restart and without a pull', async (t) => {
  const { judge, authority, repository, clock, reopen } = await notaryClient(t, signedRepository(), { refresh: DAY });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const [first] = authority.status().trust;
  const old = repository.signers.get('root') ?? [];
  clock.advance(DAY / 2);
  repository.rotate('root');
  repository.rotate('targets');
  repository.rotate('snapshot');
  repository.rotate('timestamp');
  repository.publish(clock.now());
  await authority.refreshDue(clock.now());
  const [rotated] = authority.status().trust;
  assert.deepEqual([first?.versions.root, rotated?.versions.root, rotated?.failure], [1, 2, undefined]);
  assert.deepEqual(rotated?.refreshedAt, clock.now());
  // From here on the old key signs nothing any more: what follows stands on the new root alone.
  repository.signers.set(
    'root',
    (repository.signers.get('root') ?? []).filter((key) => !old.includes(key)),
  );
  clock.advance(DAY / 2);
  repository.rotate('root');
  repository.publish(clock.now());
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  await authority.refreshDue(clock.now());
  assert.equal(authority.status().trust[0]?.versions.root, 3);
  const { authority: restarted } = await reopen();
  await restarted.recall();
  assert.equal(restarted.status().trust[0]?.versions.root, 3, 'and a restart begins from there');
});
