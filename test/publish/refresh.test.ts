import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { FreshKeeper } from '../../publish/fresh-keeper.ts';
import { refresh, warnings } from '../../publish/refresh.ts';
import { parsePeriod, parseSettings, settingsBytes, DEFAULT_PERIODS } from '../../publish/settings.ts';
import { image } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { DAY, TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

const HOUR = DAY / 24;
const PATH = 'docker.io/acme/app:1';
const APP = image();

function later(repo: TestRepository, milliseconds: number): void {
  repo.now = new Date(repo.now.getTime() + milliseconds);
}

async function versions(repo: TestRepository): Promise<readonly number[]> {
  const { timestamp, snapshot, targets } = (await repo.publishing()).repository;
  return [timestamp, snapshot, targets].map(({ body }) => body.version);
}

test('a refresh signs the timestamp in its second half, the snapshot in its own, targets and root never', async (t) => {
  const repo = await TestRepository.found(t);
  assert.equal((await refresh(await repo.publishing())).outcome, 'unchanged');
  later(repo, 11 * HOUR);
  assert.equal((await refresh(await repo.publishing())).outcome, 'unchanged');
  later(repo, 2 * HOUR);
  assert.equal((await refresh(await repo.publishing())).outcome, 'published');
  assert.deepEqual(await versions(repo), [2, 1, 1]);
  later(repo, 7 * DAY);
  await refresh(await repo.publishing());
  assert.deepEqual(await versions(repo), [3, 2, 1]);
});

test('a timestamp that expired is refused by clients until a refresh', async (t) => {
  const repo = await TestRepository.found(t, { now: new Date(Date.now() - 2 * DAY) });
  const client = await TufClient.start(t, repo.metadata);
  await assert.rejects(client.refresh(), /expired/);
  repo.now = new Date();
  await refresh(await repo.publishing());
  await client.refresh();
});

test('the timestamp is refreshed by its key alone while the snapshot is good', async (t) => {
  const repo = await TestRepository.found(t);
  later(repo, 13 * HOUR);
  const only = repo.keys.timestamp;
  assert.equal((await refresh(await repo.publishing({ only }))).outcome, 'published');
  assert.equal((await refresh(await repo.publishing({ only }), { renew: true })).outcome, 'waiting');
});

test('what was vouched for without the server keys is published by the next refresh with them', async (t) => {
  const repo = await TestRepository.found(t);
  const client = await TufClient.start(t, repo.metadata);
  const publisher = { without: ['snapshot', 'timestamp'] as const };
  assert.equal((await repo.vouch(PATH, APP.bytes, 'targets', publisher)).outcome, 'waiting');
  assert.equal(await client.target(PATH), undefined);
  const second = image({ layers: ['2'] });
  await repo.vouch('docker.io/acme/app:2', second.bytes, 'targets', publisher);
  assert.equal((await refresh(await repo.publishing({ without: ['root', 'targets'] }))).outcome, 'published');
  assert.equal((await client.target(PATH))?.digest, APP.digest, 'the second vouching was made on top of the first');
  assert.equal((await client.target('docker.io/acme/app:2'))?.digest, second.digest);
});

test('root and targets that run out are said in the last quarter, and said otherwise afterwards', async (t) => {
  const repo = await TestRepository.found(t);
  const said = async () => {
    const { repository, periods, now } = await repo.publishing();
    return warnings(repository, periods, now).map((line) => line.split(' ').slice(0, 3).join(' '));
  };
  assert.deepEqual(await said(), []);
  later(repo, 70 * DAY);
  assert.match((await said()).join(), /^targets expires/);
  later(repo, 21 * DAY);
  assert.deepEqual(await said(), ['targets has expired']);
});

test('the keeper signs what is due, publishes what comes, and keeps quiet otherwise', async (t) => {
  const repo = await TestRepository.found(t);
  const log = new RecordingLog();
  const keeper = new FreshKeeper({ folder: repo.folder, log, now: () => repo.now });
  assert.equal(keeper.healthy, false);
  await keeper.look();
  assert.equal(keeper.healthy, true);
  assert.deepEqual(await versions(repo), [1, 1, 1]);
  later(repo, 13 * HOUR);
  await keeper.look();
  assert.deepEqual(await versions(repo), [2, 1, 1]);
  await keeper.look();
  assert.deepEqual(await versions(repo), [2, 1, 1]);
  await repo.vouch(PATH, APP.bytes, 'targets', { without: ['snapshot', 'timestamp'] });
  await keeper.look();
  assert.deepEqual(await versions(repo), [3, 2, 2]);
});

test('a keeper that cannot sign says so once, turns unhealthy when the timestamp is over, and goes on', async (t) => {
  const repo = await TestRepository.found(t);
  const log = new RecordingLog();
  const keeper = new FreshKeeper({ folder: repo.folder, log, now: () => repo.now });
  await keeper.look();
  await rm(repo.folder.onlineKeys, { recursive: true });
  later(repo, 25 * HOUR);
  await keeper.look();
  await keeper.look();
  assert.equal(keeper.healthy, false);
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
});

test('the settings come back as they were written, and what is no duration is refused', () => {
  assert.deepEqual(parseSettings(settingsBytes(DEFAULT_PERIODS), 'repository.json'), DEFAULT_PERIODS);
  for (const text of ['', '10', '1s', '4000d', 'soon']) assert.throws(() => parsePeriod(text), /such as 90d/);
  assert.throws(() => parseSettings(Buffer.from('{"format":2}'), 'repository.json'), /later version/);
  assert.throws(() => parseSettings(Buffer.from('<html>'), 'repository.json'), /repository\.json cannot be read/);
});
