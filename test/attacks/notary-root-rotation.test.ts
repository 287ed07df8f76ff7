/** trust.md 1.10, "Root": which root may follow the one that is in force. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootKey } from '../support/signing-key.ts';
import { DAY, GUN, NOW, notaryClient, outcomeOf, signedRepository } from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

interface Rotation {
  readonly cause: string;
  readonly outcome: string;
  /** What happens on the server after root 1 has been seen. */
  bend(repository: NotaryRepository): void;
}

function rotateAndPublish(repository: NotaryRepository): void {
  repository.rotate('root');
  repository.publish(NOW);
}

const rotations: readonly Rotation[] = [
  { cause: 'a root that the old keys signed too', outcome: 'vouched', bend: rotateAndPublish },
  {
    cause: 'a root that only its own keys signed',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => {
      repository.rotate('root', { handover: 'unsigned' });
      repository.publish(NOW);
    },
  },
  {
    cause: 'three rotations at once, with every root between',
    outcome: 'vouched',
    bend: (repository) => {
      for (const _ of [1, 2, 3]) rotateAndPublish(repository);
    },
  },
  {
    cause: 'a root between is left out, with the keys it took out of force',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => {
      for (const _ of [1, 2, 3]) rotateAndPublish(repository);
      repository.files.delete('3.root.json');
    },
  },
  {
    cause: 'a root between does not follow',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => {
      repository.rotate('root', { handover: 'unsigned' });
      repository.publish(NOW);
      rotateAndPublish(repository);
    },
  },
  {
    cause: 'another version in the place of a root between',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => {
      for (const _ of [1, 2, 3]) rotateAndPublish(repository);
      repository.files.set('2.root.json', repository.files.get('3.root.json') ?? Buffer.of());
    },
  },
  {
    cause: 'a root between has expired, and so has its certificate',
    outcome: 'vouched',
    bend: (repository) => {
      repository.rotate('root', { keys: [rootKey({ gun: GUN, now: new Date(0), notAfter: NOW })] });
      repository.publish(NOW, { root: NOW });
      rotateAndPublish(repository);
      rotateAndPublish(repository);
    },
  },
  {
    cause: 'the last root has expired',
    outcome: 'METADATA_EXPIRED',
    bend: (repository) => {
      repository.rotate('root');
      repository.publish(NOW, { root: NOW });
    },
  },
  {
    cause: 'the certificate of the last root has expired',
    outcome: 'METADATA_EXPIRED',
    bend: (repository) => {
      repository.rotate('root', { keys: [rootKey({ gun: GUN, now: new Date(0), notAfter: NOW })] });
      repository.publish(NOW);
    },
  },
  {
    cause: 'a new version that its own key has not signed',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) => {
      const old = repository.signers.get('root') ?? [];
      repository.rotate('root');
      repository.signers.set('root', old);
      repository.publish(NOW);
    },
  },
  {
    cause: 'a second root with the version of the one in force',
    outcome: 'METADATA_ROLLBACK',
    bend: (repository) => {
      repository.rotate('root');
      repository.root.version -= 1;
      repository.publish(NOW);
    },
  },
];

for (const { cause, outcome, bend } of rotations) {
  test(`${cause}: ${outcome}`, async (t) => {
    const { judge, repository } = await notaryClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    bend(repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a rotation back to an older root is refused, also after a restart', async (t) => {
  const { judge, repository, reopen } = await notaryClient(t);
  const first = repository.file('root');
  rotateAndPublish(repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  // With the server's keys, which sign snapshot and timestamp, but without those of the root.
  repository.replace('root', first);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  const { judge: later } = await reopen();
  assert.equal(outcomeOf(await later('1.0')), 'METADATA_ROLLBACK');
});

test('a client that comes late finds its way from the newest root back to the pinned one', async (t) => {
  const repository = signedRepository();
  const pin = { kind: 'rootKeys' as const, ids: [repository.rootKeyId] };
  for (const _ of [1, 2, 3]) rotateAndPublish(repository);
  const { judge, fetch } = await notaryClient(t, repository, { pin });
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'vouched');
  assert.match(finding.evidence[0]?.text ?? '', /root 4 .* handed over from root 1/);
  assert.deepEqual(fetch.requests.slice(0, 4), ['root.json', '3.root.json', '2.root.json', '1.root.json']);
});

test('the way back to the pin breaks where a root did not hand over, or is not there', async (t) => {
  for (const handover of ['unsigned', 'signed'] as const) {
    const repository = signedRepository();
    const pin = { kind: 'rootKeys' as const, ids: [repository.rootKeyId] };
    repository.rotate('root', { handover });
    repository.publish(NOW);
    if (handover === 'signed') repository.files.delete('1.root.json');
    const { judge } = await notaryClient(t, repository, { pin });
    assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED', handover);
  }
});

test('a pinned root whose certificate has expired is no start for a new client, and no end for one that knows it', async (t) => {
  const repository = signedRepository();
  const old = rootKey({ gun: GUN, now: NOW, notAfter: new Date(NOW.getTime() + DAY) });
  repository.rotate('root', { keys: [old], handover: 'unsigned' });
  repository.publish(NOW);
  const pin = { kind: 'rootKeys' as const, ids: [old.id] };
  const known = await notaryClient(t, repository, { pin });
  assert.equal(outcomeOf(await known.judge('1.0')), 'vouched');
  rotateAndPublish(repository);
  known.clock.advance(2 * DAY);
  assert.equal(outcomeOf(await known.judge('1.0')), 'vouched');
  const late = await notaryClient(t, repository, { pin });
  late.clock.advance(2 * DAY);
  assert.equal(outcomeOf(await late.judge('1.0')), 'KEY_NOT_TRUSTED');
});

test('when the certificate of the root in force runs out, so does what it vouches for', async (t) => {
  const repository = signedRepository();
  const end = new Date(NOW.getTime() + DAY);
  repository.rotate('root', { keys: [rootKey({ gun: GUN, now: NOW, notAfter: end })], handover: 'unsigned' });
  repository.publish(NOW);
  const { judge, clock } = await notaryClient(t, repository, { pin: { kind: 'tofu' }, refresh: 10 * DAY });
  const finding = await judge('1.0');
  assert.deepEqual(finding.outcome === 'vouched' && finding.validUntil, end);
  clock.advance(DAY);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_EXPIRED');
});

test('a server that leads back through endless roots is followed for 256 of them', async (t) => {
  const repository = signedRepository();
  repository.edit('root', (part) => {
    part.version = 1000;
  });
  const { judge, fetch } = await notaryClient(t, repository, { pin: { kind: 'rootKeys', ids: ['0'.repeat(64)] } });
  fetch.answer = (file) => {
    const version = /^(\d+)\.root\.json$/.exec(file)?.[1];
    if (version === undefined) return undefined;
    repository.root.version = Number(version);
    repository.write('root', repository.root);
    return { kind: 'found', bytes: repository.file('root') };
  };
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
  assert.equal(fetch.requests.length, 1 + 256);
});
