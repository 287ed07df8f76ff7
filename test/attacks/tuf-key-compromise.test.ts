/** TUF specification 1.5.2, "vulnerability to key compromises": a stolen key does only what that key may, and only until root takes it out. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { IMAGE, NOW, OTHER_IMAGE, outcomeOf, signedRepository, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository, testKey } from '../support/tuf-repository.ts';

test('a stolen targets key that root has rotated out: the thief is refused, the publisher goes on', async (t) => {
  const { judge, repository } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const stolen = repository.role('targets').keys;
  repository.rotate('targets');
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const honest = repository.stored();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  repository.write('targets', stolen);
  repository.publishSnapshot();
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), 'SIGNATURE_INVALID');
  repository.restore(honest);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
});

test('targets signed before the rotation are no longer good, though nothing newer is published', async (t) => {
  const { judge, repository } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.rotate('targets');
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
});

for (const role of ['timestamp', 'snapshot']) {
  test(`after ${role} has another key, what the old one signs is refused`, async (t) => {
    const { judge, repository } = await tufClient(t);
    const stolen = repository.role(role).keys;
    repository.rotate(role);
    repository.publish();
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    repository.part(role).version += 1;
    repository.write(role, stolen);
    if (role === 'snapshot') repository.publishTimestamp();
    assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  });
}

test('the keys of timestamp and snapshot together put in no target', async (t) => {
  const { judge, repository } = await tufClient(t);
  const online = [...repository.role('timestamp').keys, ...repository.role('snapshot').keys];
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  repository.write('targets', online);
  repository.publishSnapshot();
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
});

for (const [signers, threshold, outcome] of [
  [1, 2, 'SIGNATURE_INVALID'],
  [2, 2, 'vouched'],
  [2, 3, 'SIGNATURE_INVALID'],
  [3, 3, 'vouched'],
] as const) {
  test(`${signers} of the ${threshold} signatures that targets needs: ${outcome}`, async (t) => {
    const repository = signedRepository();
    const keys = [testKey(), testKey(), testKey()];
    repository.rotate('targets', keys, threshold);
    repository.publish();
    repository.write('targets', keys.slice(0, signers));
    repository.publishSnapshot();
    const { judge } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('one key under two IDs does not fill a threshold of two', async (t) => {
  const repository = signedRepository();
  const key = testKey();
  const keys = [key, { ...key, id: 'another-name' }];
  repository.rotate('targets', keys, 2);
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
});

test('a stolen key of a delegated role vouches for nothing outside its paths', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('acme', { paths: ['docker.io/acme/app:*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.sign('docker.io/other/app:1.0', OTHER_IMAGE, 'acme');
  repository.sign('docker.io/acme/deep/app:1.0', OTHER_IMAGE, 'acme');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  for (const name of ['other/app', 'acme/deep/app']) {
    assert.equal(outcomeOf(await judge('1.0', { repository: name })), 'TAG_NOT_SIGNED');
    assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest, { repository: name })), 'DIGEST_NOT_SIGNED');
  }
});

test('a delegated key that was taken out: its role is refused, and signed again without a new version it is good', async (t) => {
  const repository = new TufRepository({ now: NOW, hashes: false });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const stolen = repository.role('acme').keys;
  repository.rotate('acme');
  repository.part('acme').version -= 1;
  repository.publish();
  repository.write('acme', stolen);
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  repository.write('acme');
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

for (const removed of [false, true]) {
  const how = removed ? 'and the state folder is removed' : 'also after a restart';
  test(`a root that was seen is not taken back by spoiling what comes with it, ${how}`, async (t) => {
    const client = await tufClient(t);
    const { judge, repository, reopen, home, fetch } = client;
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    const before = new Map(repository.files);
    repository.rotate('targets');
    assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID', 'the new root is there, nothing else is');
    // The thief has the mirror too, and shows the repository as if root 2 had never been.
    repository.restore(before);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
    if (removed) await rm(join(home, 'trust'), { recursive: true });
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0')), 'METADATA_ROLLBACK');
    fetch.fault = new MetadataUnavailable('connection refused');
    const { judge: offline } = await reopen();
    assert.equal(
      outcomeOf(await offline('1.0')),
      'TRUST_UNREACHABLE',
      'nor is what the old root vouched for used in an outage',
    );
    fetch.fault = undefined;
    repository.publish();
    repository.write('root');
    assert.equal(outcomeOf(await (await reopen()).judge('1.0')), 'vouched');
  });
}

test('so too at the very first contact', async (t) => {
  const { judge, repository, reopen } = await tufClient(t);
  const before = new Map(repository.files);
  repository.rotate('targets');
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  repository.restore(before);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  assert.equal(outcomeOf(await (await reopen()).judge('1.0')), 'METADATA_ROLLBACK');
});
