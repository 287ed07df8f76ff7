/** trust.md 1.10, "Delegation": who may sign which tags, and what a server may not do to those who may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecdsaKey } from '../support/signing-key.ts';
import {
  DAY,
  IMAGE,
  imageOf,
  NOW,
  notaryClient,
  OTHER_IMAGE,
  outcomeOf,
  signedRepository,
} from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

const RELEASES = 'targets/releases';
const ALICE = 'targets/alice';

/** 1.0 is IMAGE in targets/releases, and OTHER_IMAGE, which is older, in targets. */
function released(): NotaryRepository {
  const repository = signedRepository();
  repository.sign('1.0', OTHER_IMAGE);
  repository.delegate(RELEASES);
  repository.sign('1.0', IMAGE, RELEASES);
  repository.publish(NOW);
  return repository;
}

interface Case {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: NotaryRepository): void;
}

function renamed(name: string) {
  return (repository: NotaryRepository) =>
    repository.edit('targets', (part) => {
      part.delegations.roles = part.delegations.roles.map((role) => ({ ...role, name }));
    });
}

const trees: readonly Case[] = [
  {
    cause: 'a role whose name climbs out of its folder',
    outcome: 'METADATA_INVALID',
    bend: renamed('targets/../root'),
  },
  { cause: 'a role whose name has an empty part', outcome: 'METADATA_INVALID', bend: renamed('targets//releases') },
  { cause: 'a role whose name is in capitals', outcome: 'METADATA_INVALID', bend: renamed('targets/Releases') },
  { cause: 'a role whose name would be encoded in a URL', outcome: 'METADATA_INVALID', bend: renamed('targets/a%2e') },
  {
    cause: 'a role with a name of 256 characters',
    outcome: 'METADATA_INVALID',
    bend: renamed(`targets/${'a'.repeat(248)}`),
  },
  { cause: 'a base role as a delegation', outcome: 'METADATA_INVALID', bend: renamed('targets') },
  { cause: 'a role of another tree', outcome: 'METADATA_INVALID', bend: renamed('root/releases') },
  { cause: 'a role two levels below', outcome: 'METADATA_INVALID', bend: renamed('targets/releases/a') },
  {
    cause: 'a role that delegates to its brother, with keys of its own',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      repository.edit(RELEASES, (part) => {
        part.delegations = repository.part('targets').delegations;
      });
    },
  },
  {
    cause: 'a role that is listed twice, with two sets of keys',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('targets', (part) => {
        part.delegations.roles.push(...part.delegations.roles);
      }),
  },
  {
    cause: 'a role with a key that is not there',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('targets', (part) => {
        part.delegations.keys = {};
      }),
  },
  {
    cause: 'a role with a threshold of none',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('targets', (part) => {
        part.delegations.roles = part.delegations.roles.map((role) => ({ ...role, threshold: 0 }));
      }),
  },
  {
    cause: 'a snapshot that lists a role of a name that climbs',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        part.meta['targets/../../x'] = part.meta.targets ?? { hashes: {}, length: 0 };
      }),
  },
  {
    cause: 'a thousand and one roles',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      const keys = [ecdsaKey()];
      for (let index = 0; index <= 1000; index += 1) repository.delegate(`targets/r${index}`, { keys });
      repository.publish(NOW);
    },
  },
  {
    cause: 'a thousand roles, spread over two levels, and two more',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      const keys = [ecdsaKey()];
      for (let index = 0; index <= 500; index += 1) {
        repository.delegate(`targets/r${index}`, { keys });
        repository.delegate(`${RELEASES}/r${index}`, { keys });
      }
      repository.publish(NOW);
    },
  },
  {
    cause: 'delegations that go 16 levels deep',
    outcome: 'vouched',
    bend: (repository) => {
      const keys = [ecdsaKey()];
      let name = RELEASES;
      for (let level = 2; level <= 16; level += 1) {
        name += '/a';
        repository.delegate(name, { keys });
        repository.sign('deep', IMAGE, name);
      }
      repository.publish(NOW);
    },
  },
  {
    cause: 'delegations that go 17 levels deep',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      const keys = [ecdsaKey()];
      let name = RELEASES;
      for (let level = 2; level <= 17; level += 1) {
        name += '/a';
        repository.delegate(name, { keys });
        repository.sign('deep', IMAGE, name);
      }
      repository.publish(NOW);
    },
  },
];

for (const { cause, outcome, bend } of trees) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = released();
    bend(repository);
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

const paths: readonly (readonly [cause: string, parent: string[], child: string[], tag: string, outcome: string])[] = [
  ['a tag within the paths of parent and child', ['v'], ['v1'], 'v1.0', 'vouched'],
  ['a tag outside the paths of the child', ['v'], ['v1'], 'v2.0', 'SIGNERS_MISSING'],
  [
    'a tag within the paths of the child, which reach beyond those of its parent',
    ['v1'],
    ['v'],
    'v2.0',
    'SIGNERS_MISSING',
  ],
  ['a tag of a role without paths', [], [''], 'v1.0', 'SIGNERS_MISSING'],
];

for (const [cause, parent, child, tag, outcome] of paths) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = signedRepository();
    repository.sign(tag, IMAGE);
    repository.delegate(ALICE, { paths: parent });
    repository.delegate(`${ALICE}/ci`, { paths: child });
    repository.part(ALICE);
    repository.sign(tag, IMAGE, `${ALICE}/ci`);
    repository.publish(NOW);
    const { judge } = await notaryClient(t, repository, { signers: ['alice/ci'] });
    assert.equal(outcomeOf(await judge(tag)), outcome);
  });
}

test('a role that was delegated but has not signed yet is no fault', async (t) => {
  const repository = signedRepository();
  repository.delegate(RELEASES);
  repository.publish(NOW);
  const { judge } = await notaryClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('what hangs from an expired role has expired with it', async (t) => {
  const repository = signedRepository();
  repository.delegate(ALICE);
  repository.delegate(`${ALICE}/ci`);
  repository.sign('other', imageOf('three'), ALICE);
  repository.sign('1.0', IMAGE, `${ALICE}/ci`);
  repository.publish(NOW, { [ALICE]: new Date(NOW.getTime() + DAY) });
  const { judge, clock } = await notaryClient(t, repository, { signers: ['alice/ci'] });
  const finding = await judge('1.0');
  assert.deepEqual(finding.outcome === 'vouched' && finding.validUntil, new Date(NOW.getTime() + DAY));
  clock.advance(DAY);
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNERS_MISSING');
});
