/** Repositories as `docklock tuf delegate` and `undelegate` leave them, with roles that nobody has signed, or nobody who still may. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { delegate, undelegate } from '../../../publish/delegate.ts';
import { generateKey, type SigningKey } from '../../../publish/key.ts';
import { TufAuthority } from '../../../trust/tuf/authority.ts';
import { folderSource } from '../../../trust/tuf/folder-source.ts';
import { temporaryFolder, TestRepository } from '../../publish/support/repository.ts';
import { image } from '../../support/fake-registry.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { DAY, outcomeOf } from '../../support/tuf-client.ts';

const APP = image({ layers: ['app'] });
const OWN = 'docker.io/own/app:1';

async function stage(t: TestContext) {
  const repo = await TestRepository.found(t);
  await repo.vouch(OWN, APP.bytes);
  const handOn = async (name: string, key: SigningKey, more: { before?: string } = {}) =>
    await delegate(await repo.publishing(), {
      name,
      paths: [`docker.io/${name.split('-')[0]}/*`],
      keys: [key.public],
      threshold: undefined,
      terminating: undefined,
      before: more.before,
    });
  const vouch = async (path: string, role: string, key: SigningKey) =>
    await repo.vouch(path, APP.bytes, role, { only: [key, ...repo.keys.snapshot, ...repo.keys.timestamp] });
  const home = await temporaryFolder(t);
  const log = new RecordingLog();
  const root = await readFile(join(repo.metadata, '1.root.json'));
  const open = () => {
    const authority = new TufAuthority({
      name: 'org',
      source: folderSource(repo.metadata),
      root,
      target: '{registry}/{repository}:{tag}',
      roles: [],
      refresh: 0,
      folder: join(home, 'trust', 'org'),
      floors: join(home, 'floors', 'org'),
      readOnly: false,
      log,
      now: () => new Date(),
      schedule: () => () => undefined,
    });
    t.after(() => authority.close());
    return authority;
  };
  const authority = open();
  const judging = (by: TufAuthority) => async (repository: string, reference: string) =>
    outcomeOf(
      await by.judge({
        name: { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName(repository) },
        reference: parseReference(reference),
        now: new Date(),
        maxAge: DAY,
      }),
    );
  return { repo, handOn, vouch, authority, log, judge: judging(authority), reopened: () => judging(open()) };
}

test('a role that has never signed is the fault of its own images alone, also after a restart, and ends when it signs', async (t) => {
  const { handOn, vouch, judge, authority, reopened, log } = await stage(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await handOn('acme', alice);
  await handOn('other', bob);
  await vouch('docker.io/other/app:1', 'other', bob);
  for (const ask of [judge, reopened()]) {
    assert.equal(await ask('own/app', '1'), 'vouched');
    assert.equal(await ask('other/app', '1'), 'vouched');
    assert.equal(await ask('other/app', APP.digest), 'vouched');
    assert.equal(await ask('none/app', '1'), 'TAG_NOT_SIGNED');
    assert.equal(await ask('acme/app', '1'), 'METADATA_MISMATCH');
    assert.equal(await ask('acme/app', APP.digest), 'METADATA_MISMATCH');
  }
  const [trust] = authority.status().trust;
  assert.equal(trust?.failure, undefined, 'the refresh is well');
  assert.deepEqual(Object.keys(trust?.versions ?? {}).sort(), ['other', 'root', 'snapshot', 'targets', 'timestamp']);
  assert.match(
    log
      .at('warn')
      .map(({ text }) => text)
      .join(),
    /a delegated role cannot be used: acme: /,
  );
  await vouch('docker.io/acme/app:1', 'acme', alice);
  assert.equal(await judge('acme/app', '1'), 'vouched');
});

test('a role that has never signed, and comes first, keeps a later one from speaking in its place', async (t) => {
  const { handOn, vouch, judge } = await stage(t);
  const bob = generateKey();
  await handOn('acme-second', bob);
  await vouch('docker.io/acme/app:1', 'acme-second', bob);
  assert.equal(await judge('acme/app', '1'), 'vouched');
  await handOn('acme', generateKey(), { before: 'acme-second' });
  assert.equal(await judge('acme/app', '1'), 'METADATA_MISMATCH');
  assert.equal(await judge('own/app', '1'), 'vouched');
});

test('a role whose only signer was replaced is the fault of its own images alone, until the new key signs', async (t) => {
  const { repo, handOn, vouch, judge, authority, reopened } = await stage(t);
  const [alice, bob, carol] = [generateKey(), generateKey(), generateKey()];
  await handOn('acme', alice);
  await handOn('other', bob);
  await vouch('docker.io/acme/app:1', 'acme', alice);
  await vouch('docker.io/other/app:1', 'other', bob);
  assert.equal(await judge('acme/app', '1'), 'vouched');
  await handOn('acme', carol);
  await undelegate(await repo.publishing(), 'acme', [alice.public.id]);
  for (const ask of [judge, reopened()]) {
    assert.equal(await ask('acme/app', '1'), 'SIGNATURE_INVALID');
    assert.equal(await ask('other/app', '1'), 'vouched');
    assert.equal(await ask('own/app', '1'), 'vouched');
  }
  assert.equal(authority.status().trust[0]?.failure, undefined);
  await vouch('docker.io/acme/app:1', 'acme', carol);
  assert.equal(await judge('acme/app', '1'), 'vouched');
});

test('a role that was taken away says nothing any more, and disturbs nobody', async (t) => {
  const { repo, handOn, vouch, judge, authority } = await stage(t);
  const alice = generateKey();
  await handOn('acme', alice);
  await vouch('docker.io/acme/app:1', 'acme', alice);
  assert.equal(await judge('acme/app', '1'), 'vouched');
  await undelegate(await repo.publishing(), 'acme', []);
  assert.equal(await judge('acme/app', '1'), 'TAG_NOT_SIGNED');
  assert.equal(await judge('own/app', '1'), 'vouched');
  assert.equal(authority.status().trust[0]?.failure, undefined);
});
