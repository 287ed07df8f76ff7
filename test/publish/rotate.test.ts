import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeRoot, renewedRoot, rotatedRoot } from '../../publish/change-root.ts';
import { generateKey, type SigningKey } from '../../publish/key.ts';
import type { TopRole } from '../../publish/metadata.ts';
import { refresh } from '../../publish/refresh.ts';
import { image } from '../support/fake-registry.ts';
import { DAY, TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

const PATH = 'docker.io/acme/app:1';
const APP = image();

/** @param only the keys at hand besides the new one; default all */
async function rotate(repo: TestRepository, role: TopRole, next = generateKey(), only?: readonly SigningKey[]) {
  const publishing = await repo.publishing(only === undefined ? {} : { only: [...only, next] });
  const [outgoing] = publishing.repository.root.body.roles[role].keyIds;
  const change = { role, outgoing, incoming: next.public, threshold: undefined };
  const keyring = publishing.keyring.with(next);
  const result = await changeRoot({ ...publishing, keyring }, rotatedRoot(publishing, change));
  return { result, next };
}

for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
  test(`a client follows a rotation of ${role}, and a new one starts from the first root`, async (t) => {
    const repo = await TestRepository.found(t);
    await repo.vouch(PATH, APP.bytes);
    const client = await TufClient.start(t, repo.metadata);
    await client.refresh();
    const { result, next } = await rotate(repo, role);
    assert.equal(result.outcome, 'published');
    repo.keys[role] = [next];
    for (const follower of [client, await TufClient.start(t, repo.metadata)]) {
      assert.equal((await follower.target(PATH))?.digest, APP.digest);
    }
    const again = image({ layers: ['after'] });
    await repo.vouch(PATH, again.bytes);
    assert.equal((await client.target(PATH))?.digest, again.digest, 'the new keys suffice');
  });

  test(`a rotation of ${role} works when the old key is lost`, async (t) => {
    const wish = role === 'root' ? { rootKeys: 2, rootThreshold: 1 } : {};
    const repo = await TestRepository.found(t, wish);
    await repo.vouch(PATH, APP.bytes);
    const client = await TufClient.start(t, repo.metadata);
    await client.refresh();
    const { keyIds } = (await repo.publishing()).repository.root.body.roles[role];
    const left = Object.values(repo.keys)
      .flat()
      .filter((key) => key.public.id !== keyIds[0]);
    const { result, next } = await rotate(repo, role, generateKey(), left);
    assert.equal(result.outcome, 'published');
    for (const follower of [client, await TufClient.start(t, repo.metadata)]) {
      assert.equal((await follower.target(PATH))?.digest, APP.digest);
    }
    assert.ok(next.public.id !== keyIds[0]);
  });
}

test('a root of 2 of 3 is published when the second has signed, and not before', async (t) => {
  const repo = await TestRepository.found(t, { rootKeys: 3, rootThreshold: 2 });
  const [one, two] = repo.keys.root as [SigningKey, SigningKey];
  const client = await TufClient.start(t, repo.metadata);
  const publishing = await repo.publishing({ only: [one] });
  const result = await changeRoot(publishing, renewedRoot(publishing));
  assert.equal(result.outcome, 'staged');
  assert.deepEqual(result.outcome === 'staged' && result.lacks.map((line) => line.split(' (')[0]), [
    '1 more of the root keys of version 1',
    '1 more of the new root keys',
  ]);
  await client.refresh();
  assert.equal((await repo.publishing()).repository.root.body.version, 1, 'one signature changes nothing');
  const both = await repo.publishing({ only: [one, two] });
  assert.equal((await changeRoot(both, renewedRoot(both))).outcome, 'published');
  await client.refresh();
  assert.equal((await repo.publishing()).repository.root.body.version, 2);
});

test('with one root key of a threshold of two, a lost targets key cannot be replaced by one person', async (t) => {
  const repo = await TestRepository.found(t, { rootKeys: 2, rootThreshold: 2 });
  const [one] = repo.keys.root as [SigningKey, SigningKey];
  const { result } = await rotate(repo, 'targets', generateKey(), [one, ...repo.keys.snapshot, ...repo.keys.timestamp]);
  assert.equal(result.outcome, 'staged');
  assert.deepEqual((await repo.folder.stagedNames()).map(({ role, version }) => `${version}.${role}`).sort(), [
    '2.root',
    '2.targets',
  ]);
  const client = await TufClient.start(t, repo.metadata);
  await client.refresh();
});

test('targets that old and new key have signed wait for the root that names the new one', async (t) => {
  const repo = await TestRepository.found(t, { rootKeys: 2, rootThreshold: 2 });
  const [one] = repo.keys.root as [SigningKey, SigningKey];
  const { targets, snapshot, timestamp } = repo.keys;
  const { result } = await rotate(repo, 'targets', generateKey(), [one, ...targets, ...snapshot, ...timestamp]);
  assert.equal(result.outcome, 'staged');
  const { repository } = await repo.publishing();
  assert.deepEqual([repository.root.body.version, repository.targets.body.version], [1, 1]);
});

test('a stolen targets key that was rotated out vouches for nothing any more', async (t) => {
  const repo = await TestRepository.found(t);
  await repo.vouch(PATH, APP.bytes);
  const client = await TufClient.start(t, repo.metadata);
  await client.refresh();
  const stolen = repo.keys.targets;
  const { next } = await rotate(repo, 'targets');
  repo.keys.targets = [next];
  const evil = image({ layers: ['evil'] });
  const thief = { only: [...stolen, ...repo.keys.snapshot, ...repo.keys.timestamp] };
  await assert.rejects(repo.vouch(PATH, evil.bytes, 'targets', thief), /no key of targets is at hand/);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
});

test('without the snapshot and timestamp keys a root that replaces one waits in staged until refresh', async (t) => {
  const repo = await TestRepository.found(t);
  await repo.vouch(PATH, APP.bytes);
  const client = await TufClient.start(t, repo.metadata);
  await client.refresh();
  const { result, next } = await rotate(repo, 'targets', generateKey(), [...repo.keys.root, ...repo.keys.targets]);
  assert.equal(result.outcome, 'waiting');
  await client.refresh();
  assert.equal((await repo.publishing()).repository.root.body.version, 1);
  const server = await repo.publishing({ only: [...repo.keys.snapshot, ...repo.keys.timestamp] });
  assert.equal((await refresh(server)).outcome, 'published');
  assert.deepEqual(await repo.folder.stagedNames(), []);
  const { root, unsigned } = (await repo.publishing()).repository;
  assert.deepEqual([root.body.version, root.body.roles.targets.keyIds, [...unsigned]], [2, [next.public.id], []]);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
});

test('a root renewed after its expiry is followed by clients that had refused', async (t) => {
  const now = new Date();
  const periods = { root: DAY, targets: 90 * DAY, snapshot: 14 * DAY, timestamp: DAY };
  const repo = await TestRepository.found(t, { now: new Date(now.getTime() - 2 * DAY), periods });
  const client = await TufClient.start(t, repo.metadata);
  repo.now = now;
  await refresh(await repo.publishing());
  await assert.rejects(client.refresh(), /expired/);
  const publishing = await repo.publishing();
  await changeRoot(publishing, renewedRoot(publishing));
  await client.refresh();
});

test('every root version stays in the folder, and old snapshots and targets go, but not the last ones', async (t) => {
  const repo = await TestRepository.found(t);
  for (let round = 0; round < 12; round += 1) {
    const publishing = await repo.publishing();
    await changeRoot(publishing, renewedRoot(publishing));
    await repo.vouch(PATH, image({ layers: [`${round}`] }).bytes);
  }
  const versions = async (role: string) =>
    (await repo.folder.versioned()).filter((name) => name.role === role).map(({ version }) => version);
  assert.equal((await versions('root')).length, 13);
  for (const role of ['snapshot', 'targets']) {
    const left = await versions(role);
    assert.deepEqual([left.length, Math.max(...left)], [10, 13], role);
  }
  const client = await TufClient.start(t, repo.metadata, await readFile(join(repo.metadata, '1.root.json')));
  assert.notEqual(await client.target(PATH), undefined);
});

test('rotations whose numbers do not fit are refused with the numbers', async (t) => {
  const repo = await TestRepository.found(t);
  const publishing = await repo.publishing();
  const { keyIds } = publishing.repository.root.body.roles.targets;
  const change = { role: 'targets' as const, outgoing: keyIds[0], incoming: undefined, threshold: undefined };
  assert.throws(() => rotatedRoot(publishing, change), /expected a threshold of targets between 1 and 0/);
  const stranger = generateKey().public;
  assert.throws(() => rotatedRoot(publishing, { ...change, outgoing: stranger.id }), /expected a key of targets/);
  assert.throws(
    () => rotatedRoot(publishing, { ...change, outgoing: undefined, incoming: stranger, threshold: 3 }),
    /between 1 and 2/,
  );
  await assert.rejects(
    changeRoot(await repo.publishing({ without: ['root'] }), renewedRoot(publishing)),
    /no root key is at hand/,
  );
});
