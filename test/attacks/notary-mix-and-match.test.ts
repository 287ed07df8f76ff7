/** trust.md 1.10, "Freshness", mix and match: files that are good one by one, but do not belong together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, NOW, notaryClient, OTHER_IMAGE, outcomeOf, signedRepository } from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

const RELEASES = 'targets/releases';

interface Case {
  readonly cause: string;
  readonly outcome: string;
  /** What is served in the place of what was just published. */
  bend(repository: NotaryRepository, before: ReadonlyMap<string, Buffer>): void;
}

const mixes: readonly Case[] = [
  {
    cause: 'targets of an earlier publication under the name of the new ones',
    outcome: 'METADATA_MISMATCH',
    bend: (repository, before) => exchange(repository, 'targets', before),
  },
  {
    cause: 'a snapshot of an earlier publication under the name of the new one',
    outcome: 'METADATA_MISMATCH',
    bend: (repository, before) => exchange(repository, 'snapshot', before),
  },
  {
    cause: 'a delegation of an earlier publication under the name of the new one',
    outcome: 'METADATA_MISMATCH',
    bend: (repository, before) => exchange(repository, RELEASES, before),
  },
  {
    cause: 'a snapshot that was made for another root',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        part.meta.root = part.meta.targets ?? { hashes: {}, length: 0 };
      }),
  },
  {
    cause: 'a snapshot that the server does not have',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => {
      for (const name of repository.files.keys()) if (name.startsWith('snapshot.')) repository.files.delete(name);
    },
  },
];

/** Serves the earlier file under all names of the later one. */
function exchange(repository: NotaryRepository, role: string, before: ReadonlyMap<string, Buffer>): void {
  const earlier = before.get(`${role}.json`) ?? Buffer.of();
  for (const name of repository.files.keys()) {
    if (name.startsWith(`${role}.`) && !before.has(name)) repository.files.set(name, earlier);
  }
}

for (const { cause, outcome, bend } of mixes) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = signedRepository();
    repository.delegate(RELEASES);
    repository.sign('1.0', IMAGE, RELEASES);
    repository.publish(NOW);
    const before = repository.stored();
    const { judge } = await notaryClient(t, repository);
    for (const role of ['targets', RELEASES]) repository.sign('2.0', OTHER_IMAGE, role);
    repository.publish(NOW);
    bend(repository, before);
    assert.equal(outcomeOf(await judge('2.0')), outcome);
  });
}
