/** trust.md 1.10, "Delegation": dropping or expiring `targets/releases`, so that an older tag of `targets` shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecdsaKey } from '../support/signing-key.ts';
import { IMAGE, NOW, notaryClient, OTHER_IMAGE, outcomeOf, signedRepository } from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

const RELEASES = 'targets/releases';

/** 1.0 is IMAGE in targets/releases, and OTHER_IMAGE, which is older, in targets. */
function released(): NotaryRepository {
  const repository = signedRepository();
  repository.sign('1.0', OTHER_IMAGE);
  repository.delegate(RELEASES);
  repository.sign('1.0', IMAGE, RELEASES);
  repository.publish(NOW);
  return repository;
}

interface Drop {
  readonly cause: string;
  /** `fallen`: the older tag of targets shows. */
  readonly outcome: string;
  /** The outcome where releases are required. */
  readonly strict: string;
  bend(repository: NotaryRepository): void;
}

/** What a server that holds the snapshot's key, or time, or the publisher, may do to releases. */
const drops: readonly Drop[] = [
  {
    cause: 'targets/releases is dropped from the snapshot',
    outcome: 'METADATA_ROLLBACK',
    strict: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        delete part.meta[RELEASES];
      }),
  },
  {
    cause: 'targets/releases is exchanged for an unsigned one',
    outcome: 'SIGNATURE_INVALID',
    strict: 'SIGNATURE_INVALID',
    bend: (repository) =>
      repository.tamper(RELEASES, (envelope) => {
        envelope.signatures = [];
      }),
  },
  {
    cause: 'targets/releases has expired',
    outcome: 'fallen',
    strict: 'METADATA_EXPIRED',
    bend: (repository) => {
      repository.changed.add(RELEASES);
      repository.publish(NOW, { [RELEASES]: NOW });
    },
  },
  {
    cause: 'the publisher gave targets/releases another key, and it was not signed anew',
    outcome: 'fallen',
    strict: 'SIGNATURE_INVALID',
    bend: (repository) => {
      repository.edit('targets', (part) => {
        const key = ecdsaKey();
        part.version += 1;
        part.delegations.keys[key.id] = key.publicKey;
        part.delegations.roles = part.delegations.roles.map((role) => ({ ...role, keyids: [key.id] }));
      });
    },
  },
  {
    cause: 'the publisher took targets/releases back',
    outcome: 'fallen',
    strict: 'TAG_NOT_SIGNED',
    bend: (repository) => {
      repository.targets.delete(RELEASES);
      repository.files.delete(`${RELEASES}.json`);
      repository.part('targets').delegations = { keys: {}, roles: [] };
      repository.changed.add('targets');
      repository.publish(NOW);
    },
  },
];

for (const { cause, outcome, strict, bend } of drops) {
  test(`${cause}: ${outcome}; where releases are required: ${strict}`, async (t) => {
    for (const [requireReleases, expected] of [
      [false, outcome],
      [true, strict],
    ] as const) {
      const { judge, repository } = await notaryClient(t, released(), { requireReleases });
      const before = await judge('1.0');
      assert.equal(before.outcome === 'vouched' && before.digest, IMAGE.digest);
      bend(repository);
      const finding = await judge('1.0');
      const fallen = finding.outcome === 'vouched' && finding.digest === OTHER_IMAGE.digest;
      assert.equal(fallen ? 'fallen' : outcomeOf(finding), expected);
    }
  });
}

test('a role that was made anew after it was taken back begins at version 1 again', async (t) => {
  const { judge, repository } = await notaryClient(t, released(), { requireReleases: true });
  repository.sign('1.0', OTHER_IMAGE, RELEASES);
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.targets.delete(RELEASES);
  repository.files.delete(`${RELEASES}.json`);
  repository.part('targets').delegations = { keys: {}, roles: [] };
  repository.changed.add('targets');
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'TAG_NOT_SIGNED');
  repository.delegate(RELEASES);
  repository.sign('1.0', IMAGE, RELEASES);
  repository.publish(NOW);
  assert.equal(repository.part(RELEASES).version, 1);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a role that is only away for a while does not lose its version', async (t) => {
  const repository = released();
  const { judge } = await notaryClient(t, repository, { requireReleases: true });
  for (let version = 2; version <= 3; version += 1) {
    repository.changed.add(RELEASES);
    repository.publish(NOW);
  }
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const keys = repository.signers.get(RELEASES) ?? [];
  repository.delegate(RELEASES, { keys: [ecdsaKey()] });
  repository.signers.set(RELEASES, keys);
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  repository.delegate(RELEASES, { keys });
  repository.part(RELEASES).version = 1;
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
});
