/** The rollback memory on disk: cut, changed, put back from a backup, removed in part. Refused with what to do, never begun anew unasked. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import {
  IMAGE,
  OTHER_IMAGE,
  outcomeOf,
  signedRepository,
  TARGET,
  type TufClient,
  tufClient,
} from '../support/tuf-client.ts';

interface Case {
  readonly cause: string;
  bend(client: TufClient): Promise<void>;
}

const place = (client: TufClient, ...names: string[]) => join(client.home, ...names);

/** A stored metadata file, which is called by its hash. */
async function aFile(client: TufClient): Promise<string> {
  const names = await readdir(place(client, 'trust/org'));
  return place(client, 'trust/org', names.find((name) => /^[0-9a-f]{64}$/.test(name)) ?? '');
}

const DAMAGES: readonly Case[] = [
  { cause: 'the state record is cut', bend: (client) => truncate(place(client, 'trust/org/state'), 100) },
  { cause: 'the state record is empty', bend: (client) => truncate(place(client, 'trust/org/state'), 0) },
  { cause: 'the state record is gone', bend: (client) => rm(place(client, 'trust/org/state')) },
  {
    cause: 'a letter of the state record is another',
    bend: async (client) => {
      const text = await readFile(place(client, 'trust/org/state'), 'utf8');
      await writeFile(place(client, 'trust/org/state'), text.replace('"generation":2', '"generation":9'));
    },
  },
  { cause: 'a metadata file is cut', bend: async (client) => truncate(await aFile(client), 50) },
  {
    cause: 'the file of a role of other images is cut',
    bend: async (client) => {
      for (const name of await readdir(place(client, 'trust/org'))) {
        const text = await readFile(place(client, 'trust/org', name), 'utf8');
        if (text.includes('docker.io/other/x:1')) await truncate(place(client, 'trust/org', name), 50);
      }
    },
  },
  { cause: 'a metadata file is gone', bend: async (client) => rm(await aFile(client)) },
  {
    cause: 'the folder is empty',
    bend: async (client) => {
      await rm(place(client, 'trust/org'), { recursive: true });
      await mkdir(place(client, 'trust/org'));
    },
  },
  { cause: 'the record of versions is cut', bend: (client) => truncate(place(client, 'floors/org'), 60) },
  { cause: 'the record of versions is empty', bend: (client) => truncate(place(client, 'floors/org'), 0) },
  { cause: 'the record of versions is gone', bend: (client) => rm(place(client, 'floors/org')) },
];

for (const { cause, bend } of DAMAGES) {
  test(`${cause}: TRUST_STATE_DAMAGED, with what to do, and nothing is written over`, async (t) => {
    const client = await tufClient(t);
    assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
    client.repository.delegate('other', { paths: ['docker.io/other/*'] });
    client.repository.sign('docker.io/other/x:1', IMAGE, 'other');
    client.repository.sign(TARGET, IMAGE);
    client.repository.publish();
    assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
    await cp(client.home, `${client.home}-whole`, { recursive: true });
    t.after(() => rm(`${client.home}-whole`, { recursive: true, force: true }));
    await bend(client);
    const { judge } = await client.reopen();
    const finding = await judge('1.0');
    assert.equal(outcomeOf(finding), 'TRUST_STATE_DAMAGED');
    assert.match(finding.outcome === 'vouched' ? '' : finding.message, /damaged \(.+\): (?:remove|restore) /);
    await rm(client.home, { recursive: true });
    await rename(`${client.home}-whole`, client.home);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched', 'without a restart, once it is whole again');
  });
}

test('an older state folder restored beside the newer record of versions: refused; removed: begun again, and never below', async (t) => {
  const client = await tufClient(t);
  const { judge, repository, home } = client;
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  await cp(join(home, 'trust'), join(home, 'backup'), { recursive: true });
  const first = repository.stored();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const second = repository.stored();

  await rm(join(home, 'trust'), { recursive: true });
  await rename(join(home, 'backup'), join(home, 'trust'));
  const { judge: restored } = await client.reopen();
  const finding = await restored('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_STATE_DAMAGED');
  assert.match(JSON.stringify(finding), /expected state 2 or later, got state 1, which is older/);

  await rm(join(home, 'trust'), { recursive: true });
  repository.restore(first);
  assert.equal(outcomeOf(await restored('1.0')), 'METADATA_ROLLBACK', 'the documented recovery lowers no version');
  const { judge: again } = await client.reopen();
  assert.equal(outcomeOf(await again('1.0')), 'METADATA_ROLLBACK');
  repository.restore(second);
  assert.equal(outcomeOf(await again('1.0')), 'vouched');
  repository.publish();
  assert.equal(outcomeOf(await again('1.0')), 'vouched');
  const { judge: later } = await client.reopen();
  assert.equal(outcomeOf(await later('1.0')), 'vouched', 'and goes on as ever');
});

test('state of another repository in place of the own one: refused', async (t) => {
  const client = await tufClient(t);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  const other = await tufClient(t, signedRepository());
  assert.equal(outcomeOf(await other.judge('1.0')), 'vouched');
  await rm(join(client.home, 'trust'), { recursive: true });
  await cp(join(other.home, 'trust'), join(client.home, 'trust'), { recursive: true });
  const { judge } = await client.reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED');
});

test('two authorities with folders of their own do not know each other', async (t) => {
  const client = await tufClient(t);
  const { home, repository, judge } = client;
  const before = repository.stored();
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.restore(before);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  const { judge: other } = await client.reopen({
    folder: join(home, 'trust/other'),
    floors: join(home, 'floors/other'),
  });
  assert.equal(outcomeOf(await other('1.0')), 'vouched');
});

test('a second process reads what is there and writes nothing', async (t) => {
  const client = await tufClient(t);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  const before = await readdir(client.home, { recursive: true });
  client.repository.sign(TARGET, OTHER_IMAGE);
  client.repository.publish();
  const { judge } = await client.reopen({ readOnly: true });
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
  assert.deepEqual(await readdir(client.home, { recursive: true }), before);
});

test('after a restart without the source, what is remembered serves', async (t) => {
  const client = await tufClient(t);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  client.fetch.fault = new MetadataUnavailable('connection refused');
  const { judge } = await client.reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'vouched');
});

test('authorities whose names begin alike do not touch what is beside them', async (t) => {
  const client = await tufClient(t);
  const places = (name: string) => ({
    folder: join(client.home, 'trust', name),
    floors: join(client.home, 'floors', name),
  });
  for (const name of ['org.new', 'org.staging-1', 'org']) {
    const { judge } = await client.reopen(places(name));
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  }
  client.fetch.fault = new MetadataUnavailable('connection refused');
  for (const name of ['org.new', 'org.staging-1', 'org']) {
    const { judge } = await client.reopen(places(name));
    assert.equal(outcomeOf(await judge('1.0')), 'vouched', `the state of ${name} is still there`);
  }
});
