/** trust.md 1.10, "Freshness": nothing older than what was seen, nothing expired, nothing that does not belong together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { DAY, IMAGE, NOW, notaryClient, OTHER_IMAGE, outcomeOf, signedRepository } from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

const RELEASES = 'targets/releases';

interface Case {
  readonly cause: string;
  readonly outcome: string;
  /** What happens on the server after version 5 of everything was seen. */
  bend(repository: NotaryRepository, before: ReadonlyMap<string, Buffer>): void;
}

/** Everything at version 5, so that there is room below. */
function fifth(): NotaryRepository {
  const repository = signedRepository();
  repository.delegate(RELEASES);
  for (let version = 2; version <= 5; version += 1) {
    for (const role of ['targets', RELEASES]) repository.sign('1.0', IMAGE, role);
    repository.publish(NOW);
  }
  return repository;
}

const rollbacks: readonly Case[] = [
  { cause: 'a new publication', outcome: 'vouched', bend: (repository) => repository.publish(NOW) },
  {
    cause: 'the server is rolled back as a whole',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository, before) => repository.restore(before),
  },
  {
    cause: 'another timestamp of the same version',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('timestamp', (part) => {
        part.expires = new Date(NOW.getTime() + DAY).toISOString();
      }),
  },
  {
    cause: 'a newer timestamp that names an older snapshot',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        part.version = 4;
      }),
  },
  {
    cause: 'a newer timestamp that names another snapshot of the same version',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        part.expires = new Date(NOW.getTime() + DAY).toISOString();
      }),
  },
  {
    cause: 'a newer snapshot that names older targets',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('targets', (part) => {
        part.version = 3;
      }),
  },
  {
    cause: 'a newer snapshot that names other targets of the same version',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('targets', (part) => Object.assign(part.targets, { '2.0': part.targets['1.0'] })),
  },
  {
    cause: 'a newer snapshot that names an older delegation',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit(RELEASES, (part) => {
        part.version = 3;
      }),
  },
  {
    cause: 'an older timestamp under a new key',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('timestamp');
      repository.timestamp.version = 1;
      repository.publish(NOW);
    },
  },
  {
    cause: 'an older snapshot under a new key',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('snapshot');
      repository.snapshot.version = 1;
      repository.publish(NOW);
    },
  },
  {
    cause: 'keys of all roles are new, and versions go on',
    outcome: 'vouched',
    bend: (repository) => {
      for (const role of ['root', 'targets', 'snapshot', 'timestamp']) repository.rotate(role);
      repository.publish(NOW);
    },
  },
];

for (const { cause, outcome, bend } of rollbacks) {
  test(`${cause}: ${outcome}, also after a restart`, async (t) => {
    const repository = fifth();
    const before = repository.stored();
    repository.publish(NOW);
    const { judge, reopen, fetch } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    bend(repository, before);
    const { judge: restarted } = await reopen({ readOnly: true });
    assert.equal(outcomeOf(await restarted('1.0')), outcome);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
    fetch.fault = new MetadataUnavailable('connection refused');
    const offline = outcome === 'vouched' ? 'vouched' : 'TRUST_UNREACHABLE';
    assert.equal(outcomeOf(await judge('1.0')), offline, 'a bad answer is not made good by an outage');
  });
}

test('after a fast-forward attack on the timestamp a new key does not lower the version; an operator does', async (t) => {
  const { judge, repository, reopen, folder } = await notaryClient(t);
  repository.edit('timestamp', (part) => {
    part.version = 1_000_000;
  });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.rotate('timestamp');
  repository.timestamp.version = 1;
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  const { judge: afresh } = await reopen({ folder: `${folder}-anew` });
  assert.equal(outcomeOf(await afresh('1.0')), 'vouched');
});

test('of two replicas the one that lags behind is refused, and the other one is not', async (t) => {
  const { judge, repository } = await notaryClient(t, fifth());
  const lagging = repository.stored();
  repository.publish(NOW);
  const leading = repository.stored();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.restore(lagging);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  repository.restore(leading);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
  test(`an expired ${role}: METADATA_EXPIRED, from the millisecond that it says`, async (t) => {
    const repository = signedRepository();
    if (role === 'root' || role === 'targets') repository.changed.add(role);
    repository.publish(NOW, { [role]: new Date(NOW.getTime() + DAY) });
    const { judge, clock } = await notaryClient(t, repository);
    clock.advance(DAY - 1);
    const finding = await judge('1.0');
    assert.deepEqual(finding.outcome === 'vouched' && finding.validUntil, new Date(NOW.getTime() + DAY));
    clock.advance(1);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_EXPIRED');
  });
}

test('a timestamp that is replayed is good until it expires, and then not any more (freeze)', async (t) => {
  const { judge, repository, clock } = await notaryClient(t);
  const frozen = repository.stored();
  repository.sign('1.0', OTHER_IMAGE);
  repository.publish(NOW);
  repository.restore(frozen);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  clock.advance(14 * DAY);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_EXPIRED');
});

const withdrawals: readonly (readonly [file: string, files: (name: string) => boolean])[] = [
  ['the timestamp', (name) => name === 'timestamp.json'],
  ['everything', () => true],
];

for (const [what, gone] of withdrawals) {
  test(`a server that answers 404 for ${what} does not make us live on what we remember: NOT_SIGNED`, async (t) => {
    const { judge, repository, fetch, reopen } = await notaryClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    for (const name of [...repository.files.keys()]) if (gone(name)) repository.files.delete(name);
    const finding = await judge('1.0');
    assert.equal(outcomeOf(finding), 'NOT_SIGNED');
    assert.match('message' in finding ? finding.message : '', /signed before/);
    fetch.fault = new MetadataUnavailable('connection refused');
    assert.equal(outcomeOf(await judge('1.0')), 'TRUST_UNREACHABLE', '404 first, then silence');
    fetch.fault = undefined;
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0')), 'NOT_SIGNED');
  });
}

test('a repository that was never signed: NOT_SIGNED, and nothing is remembered of it', async (t) => {
  const repository = signedRepository();
  repository.files.clear();
  const { judge } = await notaryClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'NOT_SIGNED');
  assert.doesNotMatch('message' in finding ? finding.message : '', /before/);
});
