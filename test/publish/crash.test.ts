import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeRoot, rotatedRoot } from '../../publish/change-root.ts';
import { delegate } from '../../publish/delegate.ts';
import { generateKey } from '../../publish/key.ts';
import type { TopRole } from '../../publish/metadata.ts';
import { refresh } from '../../publish/refresh.ts';
import { image } from '../support/fake-registry.ts';
import { FaultyDisk } from './support/faulty-disk.ts';
import { TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

const OLD = 'docker.io/acme/app:1';
const NEW = 'docker.io/acme/app:2';
const APP = image({ layers: ['1'] });
const APP_2 = image({ layers: ['2'] });
/** Made once: a change that is made again after a crash is the same change. */
const NEXT_KEY = generateKey();

async function rotate(repo: TestRepository, role: TopRole): Promise<unknown> {
  repo.keys[role] = [...new Set([...repo.keys[role], NEXT_KEY])];
  const publishing = await repo.publishing();
  const [outgoing] = publishing.repository.root.body.roles[role].keyIds;
  if (outgoing === NEXT_KEY.public.id) return await refresh(publishing);
  return await changeRoot(
    publishing,
    rotatedRoot(publishing, { role, outgoing, incoming: NEXT_KEY.public, threshold: undefined }),
  );
}

const CHANGES: Readonly<Record<string, (repo: TestRepository) => Promise<unknown>>> = {
  'a vouching': (repo) => repo.vouch(NEW, APP_2.bytes),
  'a delegation': async (repo) =>
    delegate(await repo.publishing(), {
      name: 'acme',
      paths: ['docker.io/else/*'],
      keys: [NEXT_KEY.public],
      threshold: undefined,
      terminating: undefined,
      before: undefined,
    }),
  'a refresh': async (repo) => refresh(await repo.publishing(), { renew: true }),
  'a rotation of root': (repo) => rotate(repo, 'root'),
  'a rotation of targets': (repo) => rotate(repo, 'targets'),
  'a rotation of snapshot': (repo) => rotate(repo, 'snapshot'),
  'a rotation of timestamp': (repo) => rotate(repo, 'timestamp'),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a crash at any step of ${what} leaves a repository that clients accept, and it can be done again`, async (t) => {
    const template = await TestRepository.found(t);
    await template.vouch(OLD, APP.bytes);
    const rehearsal = await template.copy(t);
    const disk = new FaultyDisk();
    rehearsal.disk = disk;
    await change(rehearsal);
    assert.ok(
      disk.steps.some((step) => step.startsWith('rename')),
      disk.steps.join(),
    );
    for (let step = 1; step <= disk.steps.length; step += 1) {
      const at = `${step}: ${disk.steps[step - 1]}`;
      const repo = await template.copy(t);
      const old = await TufClient.start(t, repo.metadata);
      await old.refresh();
      repo.disk = new FaultyDisk({ crashAt: step });
      await assert.rejects(change(repo), /the process (ended at|has ended)/, at);
      const fresh = await TufClient.start(t, repo.metadata);
      for (const client of [old, fresh]) assert.equal((await client.target(OLD))?.digest, APP.digest, at);
      repo.disk = new FaultyDisk();
      await change(repo);
      for (const client of [old, fresh]) {
        assert.equal((await client.target(OLD))?.digest, APP.digest, at);
        if (what === 'a vouching') assert.equal((await client.target(NEW))?.digest, APP_2.digest, at);
      }
    }
  });
}

test('a rotation of targets whose old key is lost is finished by doing it again, at whatever step it crashed', async (t) => {
  const template = await TestRepository.found(t);
  await template.vouch(OLD, APP.bytes);
  template.keys.targets = [];
  const rehearsal = await template.copy(t);
  const disk = new FaultyDisk();
  rehearsal.disk = disk;
  await rotate(rehearsal, 'targets');
  for (let step = 1; step <= disk.steps.length; step += 1) {
    const at = `${step}: ${disk.steps[step - 1]}`;
    template.keys.targets = [];
    const repo = await template.copy(t);
    const old = await TufClient.start(t, repo.metadata);
    await old.refresh();
    repo.disk = new FaultyDisk({ crashAt: step });
    await assert.rejects(rotate(repo, 'targets'), /the process (ended at|has ended)/, at);
    repo.disk = new FaultyDisk();
    await rotate(repo, 'targets');
    for (const client of [old, await TufClient.start(t, repo.metadata)]) {
      assert.equal((await client.target(OLD))?.digest, APP.digest, at);
    }
    assert.deepEqual(await repo.folder.stagedNames(), [], at);
  }
});

test('a disk that is full at any step of a vouching loses nothing, and the same can be done once there is room', async (t) => {
  const template = await TestRepository.found(t);
  const rehearsal = await template.copy(t);
  const disk = new FaultyDisk();
  rehearsal.disk = disk;
  await rehearsal.vouch(NEW, APP_2.bytes);
  for (let step = 1; step <= disk.steps.length; step += 1) {
    const repo = await template.copy(t);
    repo.disk = new FaultyDisk({ failAt: step });
    await assert.rejects(repo.vouch(NEW, APP_2.bytes), /ENOSPC/);
    const client = await TufClient.start(t, repo.metadata);
    await client.refresh();
    await repo.vouch(NEW, APP_2.bytes);
    assert.equal((await client.target(NEW))?.digest, APP_2.digest);
  }
});
