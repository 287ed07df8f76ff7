/** TUF specification 1.5.2, "rollback attack": nothing older than what was seen, of any role, also after a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { DAY, IMAGE, NOW, OTHER_IMAGE, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { type Part, TufRepository } from '../support/tuf-repository.ts';

interface Case {
  readonly cause: string;
  readonly outcome: string;
  /** Where nothing says that the document is another one, what was found good under that version stays. */
  readonly withoutHashes?: 'vouched';
  /** A fault of one role is part of what is known, not of the refresh. */
  readonly offline?: string;
  /** What happens at the source after version 5 of everything was seen. */
  bend(repository: TufRepository, before: ReadonlyMap<string, Buffer>): void;
}

/** Everything at version 5, so that there is room below. */
function fifth(hashes: boolean): TufRepository {
  const repository = new TufRepository({ now: NOW, hashes });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  for (let version = 1; version <= 5; version += 1) {
    repository.sign(TARGET, IMAGE, 'acme');
    repository.sign('docker.io/other/app:1.0', IMAGE);
    repository.publish();
  }
  return repository;
}

const expire = (part: { expires: string }) => {
  part.expires = new Date(NOW.getTime() + 5 * DAY).toISOString();
};

const CASES: readonly Case[] = [
  { cause: 'a new publication', outcome: 'vouched', bend: (repository) => repository.publish() },
  {
    cause: 'the source is rolled back as a whole',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository, before) => repository.restore(before),
  },
  {
    cause: 'only the timestamp is rolled back',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository, before) => {
      repository.files.set('timestamp.json', before.get('timestamp.json') ?? Buffer.alloc(0));
    },
  },
  {
    cause: 'another timestamp of the same version',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => repository.edit('timestamp', (part) => expire(part as { expires: string })),
  },
  {
    cause: 'a newer timestamp that names an older snapshot',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        part.version = 3;
      }),
  },
  {
    cause: 'a newer timestamp that names another snapshot of the same version',
    outcome: 'METADATA_ROLLBACK',
    withoutHashes: 'vouched',
    bend: (repository) => repository.edit('snapshot', (part) => expire(part as { expires: string })),
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
    withoutHashes: 'vouched',
    bend: (repository) =>
      repository.edit('targets', (part) =>
        Object.assign(part.targets, { 'a/b:1': part.targets['docker.io/other/app:1.0'] }),
      ),
  },
  {
    cause: 'a newer snapshot that names an older delegated role',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('acme', (part) => {
        part.version = 3;
      }),
  },
  {
    cause: 'a newer snapshot that names another delegated role of the same version',
    outcome: 'METADATA_ROLLBACK',
    withoutHashes: 'vouched',
    offline: 'METADATA_ROLLBACK',
    bend: (repository) => repository.edit('acme', (part) => expire(part as { expires: string })),
  },
  {
    cause: 'a newer snapshot that drops a role it listed before',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        delete part.meta['acme.json'];
        part.version += 1;
      }),
  },
  {
    cause: 'an older timestamp under a second key that is added to the first',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('timestamp', [...repository.role('timestamp').keys, ...repository.role('snapshot').keys]);
      repository.part('timestamp').version = 1;
      repository.publish();
    },
  },
  {
    cause: 'older targets under a new key, without any other key for timestamp and snapshot',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('targets');
      repository.part('targets').version = 1;
      repository.publish();
    },
  },
  {
    cause: 'older targets under their own key, with new keys for timestamp and snapshot',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('timestamp');
      repository.rotate('snapshot');
      repository.part('targets').version = 1;
      repository.publish();
    },
  },
  {
    cause: 'an older delegated role under its own key, with new keys for timestamp and snapshot',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('timestamp');
      repository.rotate('snapshot');
      repository.part('acme').version = 1;
      repository.write('acme');
      repository.publish();
    },
  },
  {
    cause: 'keys of all roles are new, and versions go on',
    outcome: 'vouched',
    bend: (repository) => {
      for (const role of ['root', 'targets', 'snapshot', 'timestamp', 'acme']) repository.rotate(role);
      repository.publish();
    },
  },
];

for (const { cause, bend, ...expected } of CASES) {
  for (const hashes of [true, false]) {
    const outcome = hashes ? expected.outcome : (expected.withoutHashes ?? expected.outcome);
    test(`${cause}${hashes ? '' : ', without hashes in snapshot and timestamp'}: ${outcome}, also after a restart`, async (t) => {
      const repository = fifth(hashes);
      const before = repository.stored();
      repository.publish();
      const { judge, reopen, fetch } = await tufClient(t, repository);
      assert.equal(outcomeOf(await judge('1.0')), 'vouched');
      bend(repository, before);
      const { judge: restarted } = await reopen({ readOnly: true });
      assert.equal(outcomeOf(await restarted('1.0')), outcome);
      const { judge: again } = await reopen();
      assert.equal(outcomeOf(await again('1.0')), outcome);
      assert.equal(outcomeOf(await judge('1.0')), outcome);
      fetch.fault = new MetadataUnavailable('connection refused');
      const offline = outcome === 'vouched' ? 'vouched' : (expected.offline ?? 'TRUST_UNREACHABLE');
      assert.equal(outcomeOf(await judge('1.0')), offline, 'a bad answer is not made good by an outage');
    });
  }
}

test('an image that was moved on is not served as it was, by tag or digest', async (t) => {
  const { judge, repository } = await tufClient(t);
  const before = repository.stored();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
  repository.restore(before);
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'METADATA_ROLLBACK');
});

for (const [what, bend] of [
  ['listed with an older version', (meta: Part) => Object.assign(meta['acme.json'], { version: 3 })],
  ['no longer listed', (meta: Part) => delete meta['acme.json']],
] as const) {
  test(`a role that could not be used when the snapshot was seen, then ${what}: METADATA_ROLLBACK`, async (t) => {
    const repository = fifth(false);
    repository.files.delete(repository.fileOf('acme'));
    const { judge, reopen } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_MISMATCH');
    repository.edit('snapshot', (part) => {
      bend(part.meta);
      part.version += 1;
    });
    for (const ask of [judge, (await reopen()).judge]) {
      assert.equal(outcomeOf(await ask('1.0', { repository: 'library/x' })), 'METADATA_ROLLBACK');
    }
  });
}
