/** TUF specification 1.5.2, "wrong software installation": a signed image under a name that was not signed for it, and targets that prove nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, imageOf, NOW, OTHER_IMAGE, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

const OTHER = { repository: 'acme/other' };

function repositoryOf(
  ...paths: readonly (readonly [path: string, image: typeof IMAGE, role?: string])[]
): TufRepository {
  const repository = new TufRepository({ now: NOW });
  for (const [path, image, role] of paths) repository.sign(path, image, role);
  repository.publish();
  return repository;
}

test('the digest of one image is not vouched for under the name of another', async (t) => {
  const { judge } = await tufClient(t, repositoryOf([TARGET, IMAGE], ['docker.io/acme/other:1.0', OTHER_IMAGE]));
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'vouched');
  assert.equal(outcomeOf(await judge(IMAGE.digest, OTHER)), 'DIGEST_NOT_SIGNED');
  assert.equal(outcomeOf(await judge('2.0')), 'TAG_NOT_SIGNED');
});

for (const path of [
  'docker.io/acme/app:1.0/x',
  'docker.io/acme/app:',
  'docker.io/acme/app:1:0',
  'docker.io/acme/app/:1.0',
  'docker.io/acme/app',
  'docker.io/acme/application:1.0',
  'ghcr.io/acme/app:1.0',
  'xdocker.io/acme/app:1.0',
  `docker.io/acme/app@${OTHER_IMAGE.digest}`,
]) {
  test(`a target called ${path} vouches for no digest of docker.io/acme/app`, async (t) => {
    const { judge } = await tufClient(t, repositoryOf([path, IMAGE]));
    assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
    assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), 'DIGEST_NOT_SIGNED');
  });
}

test('a target by its digest vouches for that digest, under no tag', async (t) => {
  const { judge } = await tufClient(t, repositoryOf([`docker.io/acme/app@${IMAGE.digest}`, IMAGE]));
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'vouched');
  assert.equal(outcomeOf(await judge('1.0')), 'TAG_NOT_SIGNED');
});

for (const [cause, hashes, outcome] of [
  ['no hash at all, only a length', {}, 'METADATA_INVALID'],
  ['an md5', { md5: 'f97c5d29941bfb1b2fdab0874906ab82' }, 'METADATA_INVALID'],
  ['a sha512 alone', { sha512: 'a'.repeat(128) }, 'METADATA_INVALID'],
  ['a sha256 that is too short', { sha256: 'abc' }, 'METADATA_INVALID'],
  ['a sha256 in capital letters', { sha256: 'A'.repeat(64) }, 'METADATA_INVALID'],
] as const) {
  test(`a target with ${cause}: ${outcome}`, async (t) => {
    const repository = repositoryOf([TARGET, IMAGE]);
    repository.edit('targets', ({ targets }) => {
      targets[TARGET].hashes = hashes;
    });
    const { judge } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a length that was signed is given on, to be compared with the manifest', async (t) => {
  const { judge } = await tufClient(t, repositoryOf([TARGET, { digest: IMAGE.digest, size: 12 }]));
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.size, 12);
});

test('a target in a role that is not accepted is refused, not passed over', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('first', { paths: ['docker.io/acme/*'] });
  repository.delegate('second', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, OTHER_IMAGE, 'first');
  repository.sign(TARGET, IMAGE, 'second');
  repository.sign('docker.io/acme/app:2.0', imageOf('three'), 'second');
  repository.publish();
  const { judge, reopen } = await tufClient(t, repository, { roles: ['second'] });
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNERS_MISSING');
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'SIGNERS_MISSING');
  assert.equal(outcomeOf(await judge('2.0')), 'vouched');
  const { judge: first } = await reopen({ roles: ['first', 'targets'] });
  assert.equal(outcomeOf(await first('1.0')), 'vouched');
  assert.equal(outcomeOf(await first('2.0')), 'SIGNERS_MISSING');
});

for (const [template, name] of [
  ['{registry}/{repository}:{tag}', 'docker.io/acme/app:1.0'],
  ['images/{repository}/{tag}', 'images/acme/app/1.0'],
  ['{registry}/{repository}:{tag}/manifest', 'docker.io/acme/app:1.0/manifest'],
] as const) {
  test(`a target called by ${template}`, async (t) => {
    const { judge } = await tufClient(t, repositoryOf([name, IMAGE]), { target: template });
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    assert.equal(outcomeOf(await judge(IMAGE.digest)), 'vouched');
    assert.equal(outcomeOf(await judge(IMAGE.digest, OTHER)), 'DIGEST_NOT_SIGNED');
  });
}

for (const template of [
  '{registry}/{repository}',
  '{repository}{tag}',
  'images:{tag}',
  '{repository}-{tag}',
  '{registry}{repository}:{tag}',
  '{repository}:{tag}x',
  '{repository}:{tag}:{tag}',
]) {
  test(`the template ${template}, by which images would share a name, is refused`, async (t) => {
    await assert.rejects(tufClient(t, undefined, { target: template }), /expected a target such as/);
  });
}
