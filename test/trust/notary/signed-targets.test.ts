import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import type { NotaryAuthorityOptions } from '../../../trust/notary/authority.ts';
import { DAY, IMAGE, imageOf, NOW, notaryClient, OTHER_IMAGE, signedRepository } from '../../support/notary-client.ts';
import type { NotaryRepository } from '../../support/notary-repository.ts';

const NAME = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/app') };
const RELEASES = 'targets/releases';

async function client(t: TestContext, repository: NotaryRepository, options: Partial<NotaryAuthorityOptions> = {}) {
  const opened = await notaryClient(t, repository, options);
  const listed = () => opened.authority.signedTargets({ name: NAME, now: opened.clock.now(), maxAge: 365 * DAY });
  const names = async () => {
    const found = await listed();
    if (found.outcome !== 'listed') return found.reason;
    return [...found.targets].map(({ tag, digest }) => `${tag} ${NICKNAMES.get(digest)}`);
  };
  return { ...opened, listed, names };
}

const THIRD = imageOf('three');
const NICKNAMES = new Map([
  [IMAGE.digest, 'one'],
  [OTHER_IMAGE.digest, 'two'],
  [THIRD.digest, 'three'],
]);

/** 1.0 in targets; latest, and another 1.0, in targets/releases, of which alice signed latest alone; bob's own tag. */
function delegating(): NotaryRepository {
  const repository = signedRepository();
  for (const role of [RELEASES, 'targets/alice', 'targets/bob']) repository.delegate(role);
  repository.sign('2.0', THIRD);
  repository.sign('1.0', OTHER_IMAGE, RELEASES);
  repository.sign('latest', OTHER_IMAGE, RELEASES);
  repository.sign('latest', OTHER_IMAGE, 'targets/alice');
  repository.sign('bob', IMAGE, 'targets/bob');
  repository.publish(NOW, { [RELEASES]: new Date(NOW.getTime() + DAY) });
  return repository;
}

test('every released tag is named once, with what a pull of it means, the likeliest first', async (t) => {
  const { names } = await client(t, delegating());
  assert.deepEqual(await names(), ['latest two', '2.0 three', '1.0 two']);
});

test('a delegation that has expired names nothing any more', async (t) => {
  const { names, clock } = await client(t, delegating());
  clock.advance(DAY);
  assert.deepEqual(await names(), ['2.0 three', '1.0 one']);
});

test('with requireReleases only what is released there is named', async (t) => {
  const { names } = await client(t, delegating(), { requireReleases: true });
  assert.deepEqual(await names(), ['latest two', '1.0 two']);
});

test('what a required signer has not signed is not named', async (t) => {
  const { names } = await client(t, delegating(), { signers: ['alice'] });
  assert.deepEqual(await names(), ['latest two']);
});

test('a withdrawn tag is not named, and the version is another', async (t) => {
  const repository = delegating();
  const { listed, names } = await client(t, repository);
  const before = await listed();
  repository.unsign('latest', RELEASES);
  repository.publish(NOW);
  assert.deepEqual(await names(), ['2.0 three', '1.0 two']);
  const after = await listed();
  assert.ok(before.outcome === 'listed' && after.outcome === 'listed');
  assert.notEqual(after.stateVersion, before.stateVersion);
});

test('what no client could ask for is not named', async (t) => {
  const repository = signedRepository();
  repository.sign('not a tag', IMAGE);
  repository.publish(NOW);
  const { names } = await client(t, repository);
  assert.deepEqual(await names(), ['1.0 one']);
});

test('what is not to be relied on names nothing, and says why', async (t) => {
  const { names, fetch, repository, clock } = await client(t, delegating());
  fetch.fault = new MetadataUnavailable('connection refused');
  assert.equal(await names(), 'TRUST_UNREACHABLE');
  fetch.fault = undefined;
  clock.advance(DAY);
  repository.tamper('timestamp', (envelope) => {
    envelope.signatures = [];
  });
  assert.equal(await names(), 'SIGNATURE_INVALID');
});
