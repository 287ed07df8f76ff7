/** TUF specification 1.5.2, "arbitrary installation attack": without a key of the role, nothing that is served becomes an image. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, OTHER_IMAGE, outcomeOf, signedRepository, TARGET, tufClient } from '../support/tuf-client.ts';
import { type Part, type TufRepository, testKey } from '../support/tuf-repository.ts';

/** Rewrites a file as it is served, without signing it. */
function tamper(repository: TufRepository, role: string, change: (file: Part) => void): void {
  const name = repository.fileOf(role);
  const file = JSON.parse(String(repository.files.get(name)));
  change(file);
  repository.files.set(name, Buffer.from(JSON.stringify(file)));
}

const stranger = testKey();

interface Case {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: TufRepository): void;
}

const CASES: readonly Case[] = [
  {
    cause: 'a target that was changed after it was signed',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) =>
      tamper(repository, 'targets', ({ signed }) => {
        signed.targets[TARGET].hashes.sha256 = 'b'.repeat(64);
      }),
  },
  ...['timestamp', 'snapshot', 'targets'].flatMap((role): Case[] => [
    {
      cause: `${role} signed by a stranger`,
      outcome: 'SIGNATURE_INVALID',
      bend: (repository) => {
        repository.part(role).version += 1;
        repository.write(role, [stranger]);
        if (role === 'targets') repository.publishSnapshot();
        if (role === 'snapshot') repository.publishTimestamp();
      },
    },
    {
      cause: `${role} signed by a stranger under the right key ID`,
      outcome: 'SIGNATURE_INVALID',
      bend: (repository) => {
        repository.part(role).version += 1;
        repository.write(role, [{ ...stranger, id: repository.role(role).keys[0]?.id ?? '' }]);
        if (role === 'targets') repository.publishSnapshot();
        if (role === 'snapshot') repository.publishTimestamp();
      },
    },
    {
      cause: `${role} without any signature`,
      outcome: 'SIGNATURE_INVALID',
      bend: (repository) => {
        repository.part(role).version += 1;
        repository.write(role, []);
        if (role === 'targets') repository.publishSnapshot();
        if (role === 'snapshot') repository.publishTimestamp();
      },
    },
  ]),
  {
    cause: 'a timestamp that was changed after it was signed',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) =>
      tamper(repository, 'timestamp', ({ signed }) => {
        signed.version = 9;
      }),
  },
  {
    cause: 'a timestamp with a second, unsigned "signed"',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      const text = String(repository.files.get('timestamp.json'));
      repository.files.set('timestamp.json', Buffer.from(`${text.slice(0, -1)},"signed":{}}`));
    },
  },
  {
    cause: 'a signature that is the right one twice',
    outcome: 'METADATA_INVALID',
    bend: (repository) => tamper(repository, 'timestamp', ({ signatures }) => signatures.push(signatures[0])),
  },
];

for (const { cause, outcome, bend } of CASES) {
  test(`${cause}: ${outcome}`, async (t) => {
    const { judge, repository, reopen } = await tufClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    repository.sign(TARGET, OTHER_IMAGE);
    repository.publish();
    bend(repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
    assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), outcome);
    const { judge: restarted } = await reopen({ readOnly: true });
    assert.equal(outcomeOf(await restarted('1.0')), outcome);
  });
}

test('from the very first contact on', async (t) => {
  for (const { bend } of CASES) {
    const repository = signedRepository();
    bend(repository);
    const { judge } = await tufClient(t, repository);
    assert.notEqual(outcomeOf(await judge('1.0')), 'vouched');
  }
});

test('bytes of another encoding of the same document verify: only what was signed counts', async (t) => {
  const repository = signedRepository({ hashes: false });
  for (const role of ['timestamp', 'snapshot', 'targets']) {
    const name = repository.fileOf(role);
    repository.files.set(name, Buffer.from(JSON.stringify(JSON.parse(String(repository.files.get(name))), null, 2)));
  }
  const { judge } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
});
