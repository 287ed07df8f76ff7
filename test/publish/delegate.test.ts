import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DelegationWish, delegate, undelegate } from '../../publish/delegate.ts';
import { ecKey, rsaKey } from './support/keys.ts';
import { generateKey, type SigningKey } from '../../publish/key.ts';
import { checkPathPattern } from '../../publish/path-pattern.ts';
import { signersOfTargets, signTargets } from '../../publish/sign-targets.ts';
import { vouchedImages } from '../../publish/vouched-images.ts';
import { image } from '../support/fake-registry.ts';
import { TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

const APP = image({ layers: ['app'] });
const OTHER = image({ layers: ['other'] });
const PATH = 'docker.io/acme/app:1';

async function delegated(
  repo: TestRepository,
  paths: readonly string[],
  keys: readonly SigningKey[],
  more: Partial<DelegationWish> = {},
) {
  const wish = { name: undefined, threshold: undefined, terminating: undefined, before: undefined, ...more };
  return await delegate(await repo.publishing(), { ...wish, paths, keys: keys.map((key) => key.public) });
}

function with_(repo: TestRepository, ...keys: readonly SigningKey[]) {
  return { only: [...keys, ...repo.keys.snapshot, ...repo.keys.timestamp] };
}

test('a collaborator vouches with a key of their own, within the pattern', async (t) => {
  const repo = await TestRepository.found(t);
  const alice = generateKey();
  assert.equal((await delegated(repo, ['docker.io/acme/*'], [alice])).name, 'docker-io-acme');
  await repo.vouch(PATH, APP.bytes, 'docker-io-acme', with_(repo, alice));
  const client = await TufClient.start(t, repo.metadata);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
  const outside = repo.vouch('docker.io/else/app:1', APP.bytes, 'docker-io-acme', with_(repo, alice));
  await assert.rejects(outside, /may vouch for docker\.io\/acme\/\* only.*nothing was signed/);
  const stranger = repo.vouch(PATH, APP.bytes, 'docker-io-acme', with_(repo, generateKey()));
  await assert.rejects(stranger, /no key of docker-io-acme is at hand/);
});

for (const [kind, make] of [
  ['ECDSA P-256', ecKey],
  ['RSA', rsaKey],
] as const) {
  test(`a collaborator may have a key of ${kind}`, async (t) => {
    const repo = await TestRepository.found(t);
    const alice = make();
    await delegated(repo, ['docker.io/acme/*'], [alice], { name: 'acme' });
    await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, alice));
    const client = await TufClient.start(t, repo.metadata);
    assert.equal((await client.target(PATH))?.digest, APP.digest);
  });
}

test('targets has the last word, then the delegations in their order; tuf-js and the list agree', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice], { name: 'alice' });
  await repo.vouch(PATH, APP.bytes, 'alice', with_(repo, alice));
  await delegated(repo, ['docker.io/*/app*'], [bob], { name: 'bob' });
  await repo.vouch(PATH, OTHER.bytes, 'bob', with_(repo, bob));
  const client = await TufClient.start(t, repo.metadata);
  const said = async () => {
    const listed = vouchedImages((await repo.publishing()).repository).find(
      ({ path, effective }) => path === PATH && effective,
    );
    assert.equal((await client.target(PATH))?.digest, listed?.target.digest);
    return listed?.role;
  };
  assert.equal(await said(), 'alice');
  await delegated(repo, [], [], { name: 'bob', before: 'alice' });
  assert.equal(await said(), 'bob');
  await repo.vouch(PATH, APP.bytes);
  assert.equal(await said(), 'targets');
});

test('where a terminating role is silent, nobody after it is asked', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice], { name: 'alice', terminating: true });
  await repo.vouch('docker.io/acme/else:1', APP.bytes, 'alice', with_(repo, alice));
  await delegated(repo, ['docker.io/acme/*'], [bob], { name: 'bob' });
  await repo.vouch(PATH, APP.bytes, 'bob', with_(repo, bob));
  const client = await TufClient.start(t, repo.metadata);
  assert.equal(await client.target(PATH), undefined);
  const listed = vouchedImages((await repo.publishing()).repository);
  assert.deepEqual(
    listed.map(({ role, effective }) => [role, effective]),
    [
      ['bob', false],
      ['alice', true],
    ],
  );
});

test('a removed role vouches for nothing, clients with its old state follow, and it may come back under another key', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice], { name: 'acme' });
  await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, alice));
  const client = await TufClient.start(t, repo.metadata);
  assert.notEqual(await client.target(PATH), undefined);
  await undelegate(await repo.publishing(), 'acme', []);
  assert.equal(await client.target(PATH), undefined);
  await delegated(repo, ['docker.io/acme/*'], [bob], { name: 'acme' });
  assert.match((await repo.publishing()).repository.unsigned.get('acme') ?? '', /is not signed by 1 of the 1 keys/);
  await assert.rejects(client.target(PATH), /signed by 0\/1 keys/);
  await repo.vouch(PATH, OTHER.bytes, 'acme', with_(repo, bob));
  assert.equal((await client.target(PATH))?.digest, OTHER.digest);
});

test('a key taken off a role signs for it no more; the one that stays signs its images again', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice, bob], { name: 'acme' });
  await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, alice));
  await undelegate(await repo.publishing(), 'acme', [alice.public.id]);
  const client = await TufClient.start(t, repo.metadata);
  await assert.rejects(client.target(PATH), /signed by 0\/1 keys/);
  await assert.rejects(repo.vouch(PATH, OTHER.bytes, 'acme', with_(repo, alice)), /no key of acme is at hand/);
  const publishing = await repo.publishing(with_(repo, bob));
  const { file } = signersOfTargets(publishing.repository, 'acme');
  assert.ok(file !== undefined);
  await signTargets(publishing, 'acme', file.body);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
});

test('what a removed collaborator left in the folder is not published', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice, bob], { name: 'acme' });
  await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, bob));
  assert.equal((await repo.vouch(PATH, OTHER.bytes, 'acme', { only: [alice] })).outcome, 'waiting');
  await undelegate(await repo.publishing(), 'acme', [alice.public.id]);
  const client = await TufClient.start(t, repo.metadata);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
  assert.match((await repo.publishing()).repository.unsigned.get('acme') ?? '', /left out/);
});

test('a role of 2 keys is published once both have signed', async (t) => {
  const repo = await TestRepository.found(t);
  const [alice, bob] = [generateKey(), generateKey()];
  await delegated(repo, ['docker.io/acme/*'], [alice, bob], { name: 'acme', threshold: 2 });
  assert.equal((await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, alice))).outcome, 'staged');
  assert.equal((await repo.vouch(PATH, APP.bytes, 'acme', with_(repo, alice, bob))).outcome, 'published');
  const client = await TufClient.start(t, repo.metadata);
  assert.equal((await client.target(PATH))?.digest, APP.digest);
});

for (const [pattern, said] of [
  ['docker.io/acme/**', /there is no \*\*/],
  ['acme', /expected a pattern of image names/],
  ['docker.io/{a,b}/*', /expected a pattern of image names/],
  ['docker.io/[a-z]/*', /expected a pattern of image names/],
  ['docker.io//x', /expected a pattern of image names/],
  ['docker.io/*a*b*c*d/x', /expected a pattern of image names/],
] as const) {
  test(`the pattern ${pattern} is refused`, () => {
    assert.throws(() => checkPathPattern(pattern), said);
  });
}

for (const [what, wish, said] of [
  ['a threshold above the number of keys', { name: 'acme', threshold: 2 }, /between 1 and 1/],
  ['the name of a top-level role', { name: 'root' }, /expected the name of a delegated role/],
  ['a name that leaves the folder', { name: '../x' }, /expected the name of a delegated role/],
  ['a place before nobody', { name: 'acme', before: 'bob' }, /expected a delegated role to come before/],
] as const) {
  test(`a delegation with ${what} is refused`, async (t) => {
    const repo = await TestRepository.found(t);
    await assert.rejects(delegated(repo, ['docker.io/acme/*'], [generateKey()], wish), said);
    assert.equal((await repo.publishing()).repository.targets.body.version, 1);
  });
}

test('removing what is not there, or too much, is refused', async (t) => {
  const repo = await TestRepository.found(t);
  const alice = generateKey();
  await delegated(repo, ['docker.io/acme/*'], [alice], { name: 'acme' });
  const publishing = await repo.publishing();
  await assert.rejects(undelegate(publishing, 'bob', []), /there is acme/);
  await assert.rejects(undelegate(publishing, 'acme', [generateKey().public.id]), /is no key of acme/);
  await assert.rejects(undelegate(publishing, 'acme', [alice.public.id]), /add another key first/);
});
