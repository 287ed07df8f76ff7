import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeRoot, renewedRoot } from '../../publish/change-root.ts';
import { describeChange } from '../../publish/describe-change.ts';
import { generateKey, type SigningKey } from '../../publish/key.ts';
import { refresh } from '../../publish/refresh.ts';
import { signFile } from '../../publish/signed-file.ts';
import { isNext, loadStaged, mergeStaged, rootSignatories, type StagedFile, signStaged } from '../../publish/staged.ts';
import { image } from '../support/fake-registry.ts';
import { TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

async function oneOfTwo(t: { after(close: () => unknown): void }) {
  const repo = await TestRepository.found(t, { rootKeys: 2, rootThreshold: 2 });
  const [one, two] = repo.keys.root as [SigningKey, SigningKey];
  const publishing = await repo.publishing({ only: [one] });
  await changeRoot(publishing, renewedRoot(publishing));
  const [staged] = await loadStaged(repo.folder);
  if (staged?.kind !== 'root') return assert.fail('a root was staged');
  const signatories = rootSignatories(publishing.repository.root.body, staged.file.body);
  return { repo, one, two, staged, signatories };
}

test('a signature that completes a staged root makes the next refresh publish it', async (t) => {
  const { repo, two, staged, signatories } = await oneOfTwo(t);
  const { keyring } = await repo.publishing({ only: [two] });
  const signed = await signStaged(staged, signatories, keyring);
  await repo.folder.stage('2.root.json', signed.file.bytes);
  assert.equal((await refresh(await repo.publishing({ without: ['root'] }))).outcome, 'published');
  const client = await TufClient.start(t, repo.metadata);
  await client.refresh();
  assert.deepEqual(await loadStaged(repo.folder), []);
});

test('signatures of copies that went round at once are put together', async (t) => {
  const { repo, one, two, staged, signatories } = await oneOfTwo(t);
  const bare: StagedFile = { ...staged, file: { ...staged.file, signatures: new Map() } };
  const byOne = await signStaged(bare, signatories, (await repo.publishing({ only: [one] })).keyring);
  const byTwo = await signStaged(bare, signatories, (await repo.publishing({ only: [two] })).keyring);
  assert.equal(mergeStaged(byOne, byTwo).file.signatures.size, 2);
  const body = { ...staged.file.body, expires: new Date(0) };
  const other: StagedFile = { ...staged, file: signFile(body, [two]) };
  assert.throws(() => mergeStaged(byOne, other), /do not say the same/);
});

test('a key that may not sign it, or has already, is told so', async (t) => {
  const { repo, one, staged, signatories } = await oneOfTwo(t);
  for (const key of [one, generateKey()]) {
    const { keyring } = await repo.publishing({ only: [key] });
    await assert.rejects(
      signStaged(staged, signatories, keyring),
      /none of the keys at hand may sign this, or they have already/,
    );
  }
});

test('a signature that was forged counts for nothing', async (t) => {
  const { repo, staged } = await oneOfTwo(t);
  const forged = Buffer.from(staged.file.bytes)
    .toString()
    .replace(/"sig":"[0-9a-f]{4}/g, '"sig":"abcd');
  await repo.folder.stage('2.root.json', Buffer.from(forged));
  assert.equal((await refresh(await repo.publishing({ without: ['root'] }))).outcome, 'unchanged');
  assert.equal((await repo.publishing()).repository.root.body.version, 1);
});

test('a staged list of images that was overtaken is not published', async (t) => {
  const repo = await TestRepository.found(t);
  const stale = await repo.copy(t);
  await stale.vouch('docker.io/acme/app:1', image({ layers: ['stale'] }).bytes);
  await repo.vouch('docker.io/acme/app:1', image({ layers: ['new'] }).bytes);
  await repo.folder.stage('2.targets.json', await stale.folder.readMetadata('2.targets.json'));
  const { repository } = await repo.publishing();
  assert.deepEqual(
    (await loadStaged(repo.folder)).map((staged) => isNext(repository, staged)),
    [false],
  );
  await refresh(await repo.publishing(), { renew: true });
  const client = await TufClient.start(t, repo.metadata);
  assert.equal((await client.target('docker.io/acme/app:1'))?.digest, image({ layers: ['new'] }).digest);
});

test('who is to sign is shown what changes: keys, thresholds, images', async (t) => {
  const repo = await TestRepository.found(t);
  const { repository } = await repo.publishing();
  await repo.vouch('docker.io/acme/app:1', image().bytes);
  const { targets } = (await repo.publishing()).repository;
  const lines = describeChange({ name: { role: 'targets', version: 2 }, kind: 'targets', file: targets }, repository);
  assert.match(
    lines.join('\n'),
    new RegExp(`^targets, version 2, until .*\n  docker.io/acme/app:1: ${image().digest}, new$`),
  );
  const key = generateKey().public;
  const body = { ...repository.root.body, version: 2, keys: new Map([...repository.root.body.keys, [key.id, key]]) };
  const roles = { ...body.roles, root: { keyIds: [key.id], threshold: 1 } };
  const root = describeChange(
    { name: { role: 'root', version: 2 }, kind: 'root', file: { ...repository.root, body: { ...body, roles } } },
    repository,
  );
  assert.match(root.join('\n'), new RegExp(`root: new key ${key.id}\n  root: key [0-9a-f]{64} goes`));
});
