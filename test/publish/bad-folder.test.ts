import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateKey } from '../../publish/key.ts';
import { loadRepository } from '../../publish/load-repository.ts';
import type { Targets } from '../../publish/metadata.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { readFile as readSignedFile, signFile } from '../../publish/signed-file.ts';
import { image } from '../support/fake-registry.ts';
import { DAY, TestRepository, targetOf, temporaryFolder } from './support/repository.ts';

const PATH = 'docker.io/acme/app:1';
const APP = image();

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

function readFileOf(bytes: Uint8Array) {
  return readSignedFile(bytes, 'root', '1.root.json');
}

/** What is in the folder, so that nothing may have changed. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'hex')])),
  );
}

const evil: Targets = {
  type: 'targets',
  version: 3,
  expires: new Date(Date.now() + DAY),
  targets: new Map([[PATH, targetOf(Buffer.from('evil'))]]),
  delegations: { keys: new Map(), roles: [] },
};

const FAULTS: readonly (readonly [what: string, spoil: (folder: string) => Promise<unknown>, said: RegExp])[] = [
  [
    'a lost snapshot',
    (folder) => rm(join(folder, '2.snapshot.json')),
    /2\.snapshot\.json is missing: put it back from a backup/,
  ],
  ['a lost timestamp', (folder) => rm(join(folder, 'timestamp.json')), /timestamp\.json is missing/],
  ['lost targets', (folder) => rm(join(folder, '2.targets.json')), /2\.targets\.json is missing/],
  ['a lost root', (folder) => rm(join(folder, '1.root.json')), /has no root\.json/],
  [
    'a truncated snapshot',
    (folder) => truncate(join(folder, '2.snapshot.json'), 100),
    /2\.snapshot\.json.*is this a file of a TUF repository/,
  ],
  ['an empty timestamp', (folder) => truncate(join(folder, 'timestamp.json'), 0), /timestamp\.json.*expected/],
  [
    'html in place of the timestamp',
    (folder) => writeFile(join(folder, 'timestamp.json'), '<html>404</html>'),
    /timestamp\.json.*is this a file of a TUF repository/,
  ],
  [
    'a digest that was altered',
    (folder) => edit(join(folder, '2.targets.json'), (text) => text.replace(APP.digest.slice(7), 'ab'.repeat(32))),
    /2\.targets\.json is not the file that was signed for/,
  ],
  [
    'an altered expiry of the timestamp',
    (folder) => edit(join(folder, 'timestamp.json'), (text) => text.replace(/"expires":"20/, '"expires":"21')),
    /timestamp\.json is not signed by the timestamp keys.*tampered/,
  ],
  [
    'an altered root',
    (folder) => edit(join(folder, '1.root.json'), (text) => text.replace(/"expires":"20/, '"expires":"21')),
    /1\.root\.json is not signed by its own root keys.*tampered/,
  ],
  [
    'an older snapshot under the name of the newer',
    (folder) => rename(join(folder, '1.snapshot.json'), join(folder, '2.snapshot.json')),
    /2\.snapshot\.json is not the file that was signed for/,
  ],
  [
    'a gap in the roots',
    (folder) => cp(join(folder, '1.root.json'), join(folder, '3.root.json')),
    /3\.root\.json: expected version 2, got 1/,
  ],
  [
    'a second root that a stranger has signed with keys of their own',
    async (folder) => {
      const key = generateKey();
      const { body } = readFileOf(await readFile(join(folder, '1.root.json')));
      const role = { keyIds: [key.public.id], threshold: 1 };
      const roles = { root: role, targets: role, snapshot: role, timestamp: role };
      const own = { ...body, version: 2, keys: new Map([[key.public.id, key.public]]), roles };
      await writeFile(join(folder, '2.root.json'), signFile(own, [key]).bytes);
    },
    /2\.root\.json is not signed by version 1's root keys.*tampered/,
  ],
  [
    'targets of a stranger to be picked up',
    (folder) => writeFile(join(folder, '3.targets.json'), signFile(evil, [generateKey()]).bytes),
    /3\.targets\.json is not signed by the targets keys.*tampered/,
  ],
  [
    'targets of another version than their name says',
    (folder) => cp(join(folder, '2.targets.json'), join(folder, '7.targets.json')),
    /7\.targets\.json: expected version 7, got 2/,
  ],
  [
    'a member that we do not know',
    (folder) =>
      edit(join(folder, 'timestamp.json'), (text) => text.replace('"version":3}', '"version":3,"x-other":1}')),
    /"x-other" is nothing this version of docklock writes/,
  ],
  [
    'a member twice',
    (folder) =>
      edit(join(folder, 'timestamp.json'), (text) => text.replace('"_type":', '"_type":"timestamp","_type":')),
    /timestamp\.json/,
  ],
  [
    'a key under an id that is not its own',
    (folder) =>
      edit(join(folder, '1.root.json'), (text) => {
        const [id = ''] = /[0-9a-f]{64}(?=":\{"keytype")/.exec(text) ?? [];
        return text.replaceAll(id, 'ab'.repeat(32));
      }),
    /under its own id/,
  ],
  [
    'a threshold of nobody',
    (folder) => edit(join(folder, '1.root.json'), (text) => text.replace('"threshold":1', '"threshold":0')),
    /1\.root\.json.*threshold/,
  ],
];

for (const [what, spoil, said] of FAULTS) {
  test(`a folder with ${what} is not signed over: a sentence, and nothing is changed`, async (t) => {
    const repo = await TestRepository.found(t);
    await repo.vouch(PATH, APP.bytes);
    if (what === 'a member that we do not know') await repo.vouch(PATH, APP.bytes);
    await spoil(repo.metadata);
    const before = await contents(repo.metadata);
    await assert.rejects(repo.vouch('docker.io/acme/app:2', APP.bytes), said);
    assert.deepEqual(await contents(repo.metadata), before);
  });
}

test('versions only go up: above a file that a crash left, and above what the snapshot says of one that is gone', async (t) => {
  const repo = await TestRepository.found(t);
  await repo.vouch(PATH, APP.bytes);
  const left = (await repo.publishing()).repository.snapshot.body;
  await writeFile(join(repo.metadata, '7.snapshot.json'), signFile({ ...left, version: 7 }, repo.keys.snapshot).bytes);
  await repo.vouch('docker.io/acme/app:2', APP.bytes);
  assert.equal((await repo.publishing()).repository.snapshot.body.version, 8);
});

test('a second writer is told that there is one, and may go on after it', async (t) => {
  const repo = await TestRepository.found(t);
  const [one, other] = [new RepositoryFolder(repo.path), new RepositoryFolder(repo.path)];
  await one.exclusively(async () => {
    await assert.rejects(
      other.exclusively(async () => assert.fail('two at once')),
      /is being changed by another process just now; nothing was changed/,
    );
  });
  assert.equal(await other.exclusively(async () => 'free'), 'free');
});

test('a folder that is no repository is not made one by a change', async (t) => {
  const folder = new RepositoryFolder(await temporaryFolder(t));
  await assert.rejects(
    folder.exclusively(async () => 'never'),
    /is not a TUF repository of docklock/,
  );
  assert.deepEqual(await readdir(folder.path), []);
});

test('a repository is not founded over what is there', async (t) => {
  const repo = await TestRepository.found(t);
  const before = await contents(repo.metadata);
  const again = new RepositoryFolder(repo.path).make();
  await assert.rejects(again, /expected an empty folder or none, got one with .*nothing was changed/);
  assert.deepEqual(await contents(repo.metadata), before);
});

test('expired metadata of our own is loaded: it is there to be signed anew', async (t) => {
  const repo = await TestRepository.found(t, { now: new Date(Date.now() - 1000 * DAY) });
  assert.equal((await loadRepository(repo.folder)).timestamp.body.version, 1);
});
