import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import type { TufAuthorityOptions } from '../../../trust/tuf/authority.ts';
import { APP, DAY, IMAGE, imageOf, NOW, OTHER_IMAGE, signedRepository, tufClient } from '../../support/tuf-client.ts';
import { TufRepository } from '../../support/tuf-repository.ts';

const THIRD = imageOf('three');
const NICKNAMES = new Map<string, string>([
  [IMAGE.digest, 'one'],
  [OTHER_IMAGE.digest, 'two'],
  [THIRD.digest, 'three'],
]);

async function client(t: TestContext, repository: TufRepository, options: Partial<TufAuthorityOptions> = {}) {
  const opened = await tufClient(t, repository, options);
  const listed = (name = 'acme/app') =>
    opened.authority.signedTargets({
      name: { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName(name) },
      now: opened.clock.now(),
      maxAge: 365 * DAY,
    });
  const names = async (name?: string) => {
    const found = await listed(name);
    if (found.outcome !== 'listed') return found.reason;
    return [...found.targets].map(({ tag, digest }) => `${tag ?? 'none'} ${NICKNAMES.get(digest)}`);
  };
  return { ...opened, listed, names };
}

/** 1.0 of targets comes before that of acme, which comes before late; other has another image. */
function delegating(): TufRepository {
  const repository = new TufRepository({ now: NOW });
  for (const role of ['acme', 'late', 'other']) repository.delegate(role, { paths: ['docker.io/acme/*'] });
  repository.sign(`${APP}:1.0`, IMAGE);
  repository.sign(`${APP}:1.0`, OTHER_IMAGE, 'acme');
  repository.sign(`${APP}:2.0`, OTHER_IMAGE, 'acme');
  repository.sign(`${APP}:latest`, THIRD, 'late');
  repository.sign(`${APP}:2.0`, THIRD, 'late');
  repository.sign('docker.io/acme/apple:3.0', THIRD, 'other');
  repository.sign('docker.io/acme/app/deep:3.0', THIRD, 'other');
  repository.publish();
  return repository;
}

test('every tag of the image is named once, with what a pull of it means, the likeliest first', async (t) => {
  const { names } = await client(t, delegating());
  assert.deepEqual(await names(), ['latest three', '2.0 two', '1.0 one']);
  assert.deepEqual(await names('acme/apple'), ['3.0 three']);
  assert.deepEqual(await names('acme/none'), []);
});

test('what is not named by the accepted roles, or not first by them, is left out', async (t) => {
  const { names } = await client(t, delegating(), { roles: ['acme'] });
  assert.deepEqual(await names(), ['2.0 two']);
});

test('what a role cannot be asked about is not named: neither what it has, nor what comes after it', async (t) => {
  const repository = delegating();
  const { names, clock } = await client(t, repository);
  repository.edit('acme', (signed) => {
    signed.expires = new Date(NOW.getTime() + DAY).toISOString().replace(/\.\d+Z$/, 'Z');
  });
  repository.publish();
  assert.deepEqual(await names(), ['latest three', '2.0 two', '1.0 one']);
  clock.advance(DAY);
  assert.deepEqual(await names(), ['1.0 one']);
});

test('what is signed under its digest is named without a tag, after the tags', async (t) => {
  const repository = delegating();
  repository.sign(`${APP}@${OTHER_IMAGE.digest}`, OTHER_IMAGE);
  repository.sign(`${APP}@${THIRD.digest}`, IMAGE);
  repository.publish();
  const { names } = await client(t, repository);
  assert.deepEqual(await names(), ['latest three', '2.0 two', '1.0 one', 'none two', 'none three']);
});

test('what is signed under a digest that it has not is not named', async (t) => {
  const repository = signedRepository();
  repository.sign(`${APP}@${THIRD.digest}`, OTHER_IMAGE);
  repository.publish();
  const { names } = await client(t, repository);
  assert.deepEqual(await names(), ['1.0 one']);
});

for (const [target, path] of [
  ['{registry}/{repository}/{tag}', `${APP}/1.0`],
  ['tags/{tag}/{repository}', 'tags/1.0/acme/app'],
  ['images/{repository}:{tag}/manifest', 'images/acme/app:1.0/manifest'],
] as const) {
  test(`where images are called ${target}, their tags are found`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    repository.sign(path, IMAGE);
    repository.publish();
    const { names } = await client(t, repository, { target });
    assert.deepEqual(await names(), ['1.0 one']);
  });
}

test('a withdrawn tag is not named, and the version is another', async (t) => {
  const repository = delegating();
  const { listed, names } = await client(t, repository);
  const before = await listed();
  repository.withdraw(`${APP}:latest`, 'late');
  repository.publish();
  assert.deepEqual(await names(), ['2.0 two', '1.0 one']);
  const after = await listed();
  assert.ok(before.outcome === 'listed' && after.outcome === 'listed');
  assert.notEqual(after.stateVersion, before.stateVersion);
});

test('what no client could ask for is not named', async (t) => {
  const repository = signedRepository();
  for (const tag of ['not a tag', '', '-dash', 'x'.repeat(129), 'a:b']) repository.sign(`${APP}:${tag}`, IMAGE);
  repository.publish();
  const { names } = await client(t, repository);
  assert.deepEqual(await names(), ['1.0 one']);
});

test('of very many tags the likeliest thousand are named', async (t) => {
  const repository = new TufRepository({ now: NOW });
  for (let at = 1; at <= 1_200; at += 1) repository.sign(`${APP}:${at}`, IMAGE);
  repository.publish();
  const { listed } = await client(t, repository);
  const found = await listed();
  assert.ok(found.outcome === 'listed');
  const tags = [...found.targets].map(({ tag }) => tag);
  assert.deepEqual([tags.length, tags[0], tags.at(-1)], [1_000, '1200', '201']);
});

test('what is not to be relied on names nothing, and says why', async (t) => {
  const { names, fetch, clock, repository } = await client(t, delegating());
  fetch.fault = new MetadataUnavailable('connection refused');
  assert.equal(await names(), 'TRUST_UNREACHABLE');
  fetch.fault = undefined;
  clock.advance(DAY);
  repository.edit('timestamp', (signed) => {
    signed.version = 0;
  });
  assert.equal(await names(), 'METADATA_INVALID');
});
