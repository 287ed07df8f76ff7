/**
 * Against the trusted root on its way here. What a TUF repository answers and is not acceptable changes nothing: the last good trusted
 * root goes on, the failure is told, and with the metadata it was signed by it ends.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SigstorePublisher } from '../support/sigstore-publisher.ts';
import { FaultyDisk } from '../support/faulty-disk.ts';
import { MAX_AGE, rootClient, TARGET, TrustedRootMirror } from '../support/trusted-root-mirror.ts';
import { DAY, HOUR } from '../support/tuf-client.ts';
import { testKey } from '../support/tuf-repository.ts';
import { hexDigest } from '../../trust/metadata/hex-digest.ts';

const publisher = await SigstorePublisher.create();
const FIRST = publisher.trustedRoot();
const LATER = publisher.trustedRoot((root) => {
  root.certificateAuthorities = [];
});
const first = hexDigest('sha256', FIRST);
const later = hexDigest('sha256', LATER);

/** What the mirror has after a good first publication, and why it is not acceptable. */
const ANSWERS: readonly (readonly [
  cause: string,
  spoil: (mirror: TrustedRootMirror) => void,
  reason: string,
  message: RegExp,
])[] = [
  [
    'other bytes of the same length',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.files.set(mirror.file, Buffer.alloc(LATER.byteLength, '{'));
    },
    'METADATA_MISMATCH',
    /bytes that are signed, got others/,
  ],
  [
    'the earlier trusted root in place of the new one',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.files.set(mirror.file, FIRST);
    },
    'METADATA_MISMATCH',
    /bytes that are signed, got/,
  ],
  [
    'a byte more',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.files.set(mirror.file, Buffer.concat([LATER, Buffer.from('\n')]));
    },
    'METADATA_MISMATCH',
    /bytes that are signed, got more/,
  ],
  [
    'a file that is cut',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.files.set(mirror.file, LATER.subarray(0, -1));
    },
    'METADATA_MISMATCH',
    /bytes that are signed, got \d+/,
  ],
  [
    'no file',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.files.delete(mirror.file);
    },
    'METADATA_MISMATCH',
    /got 404/,
  ],
  [
    'a signed length that no trusted root has',
    (mirror) => mirror.publish(Buffer.alloc(1024 * 1024 + 1, ' ')),
    'METADATA_INVALID',
    /at most 1048576 bytes, got 1048577/,
  ],
  [
    'a target without sha256',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.part('targets').targets[TARGET].hashes = { sha512: '0'.repeat(128) };
      mirror.repository.publish();
      mirror.repository.edit('targets', (signed) => {
        signed.version += 1;
      });
    },
    'METADATA_INVALID',
    /expected a sha256 hash/,
  ],
  [
    'the right bytes under a signed length that is not theirs',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.sign(TARGET, { digest: `sha256:${later}`, size: LATER.byteLength + 1 });
      mirror.repository.publish();
    },
    'METADATA_MISMATCH',
    /bytes that are signed, got \d+/,
  ],
  [
    'no such target any more',
    (mirror) => {
      mirror.repository.withdraw(TARGET);
      mirror.repository.publish();
    },
    'METADATA_INVALID',
    /there is no target "trusted_root.json"/,
  ],
  [
    'a target that is signed and no trusted root',
    (mirror) => mirror.publish(Buffer.from('{"mediaType":"text/plain"}')),
    'METADATA_INVALID',
    /known media type/,
  ],
  [
    'a trusted root whose periods have no start',
    (mirror) =>
      mirror.publish(
        publisher.trustedRoot((root) => {
          delete root.tlogs[0].publicKey.validFor.start;
        }),
      ),
    'METADATA_INVALID',
    /validFor.start/,
  ],
  [
    'a rollback to an earlier publication',
    (mirror) => mirror.repository.restore(new Map([...mirror.repository.stored(), ...(mirror.before ?? [])])),
    'METADATA_ROLLBACK',
    /expected version 2 or later/,
  ],
  [
    'a timestamp that has expired',
    (mirror) =>
      mirror.repository.edit('timestamp', (signed) => {
        signed.version += 1;
        signed.expires = '2020-01-01T00:00:00Z';
      }),
    'METADATA_EXPIRED',
    /timestamp/,
  ],
  [
    'targets signed with a key that is not theirs',
    (mirror) => {
      mirror.publish(LATER);
      mirror.repository.write('targets', [testKey()]);
      mirror.repository.publishSnapshot();
    },
    'SIGNERS_MISSING|SIGNATURE_INVALID|KEY_NOT_TRUSTED',
    /targets/,
  ],
  [
    'a page of a proxy',
    (mirror) => {
      mirror.answer = () => Buffer.from('<html>please log in</html>');
    },
    'METADATA_INVALID',
    /./,
  ],
];

for (const [cause, spoil, reason, message] of ANSWERS) {
  test(`${cause}: refused, told, and the last good one goes on until its metadata ends`, async (t) => {
    const mirror = await TrustedRootMirror.start(t);
    mirror.publish(FIRST);
    mirror.before = mirror.repository.stored();
    mirror.publish(FIRST);
    const client = await rootClient(t, mirror);
    await client.current();
    spoil(mirror);
    client.clock.advance(HOUR);
    await client.source.keepFresh();
    const { failure } = client.source.status(MAX_AGE);
    assert.match(failure?.reason ?? 'none', new RegExp(`^(?:${reason})$`));
    assert.match(failure?.message ?? '', message);
    const { root, notes = [] } = await client.current();
    assert.equal(root.version, first);
    assert.equal(notes.length, 1, 'and the evidence says so');
    client.clock.advance(30 * DAY);
    assert.equal(await client.version(), 'TRUST_STALE');
    const restarted = await client.reopen();
    await restarted.source.keepFresh();
    assert.equal(await restarted.version(), 'TRUST_STALE', 'a restart does not help it');
  });
}

test('a target longer than any trusted root is not even asked for', async (t) => {
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(Buffer.alloc(1024 * 1024 + 1, ' '));
  const client = await rootClient(t, mirror);
  assert.equal(await client.version(), 'METADATA_INVALID');
  assert.ok(!mirror.requests.includes(mirror.file));
});

test('an outage after an answer that was not acceptable does not prolong anything', async (t) => {
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(FIRST);
  const client = await rootClient(t, mirror);
  await client.current();
  mirror.answer = () => Buffer.from('<html>');
  client.clock.advance(HOUR);
  await client.source.keepFresh();
  mirror.answer = () => 503;
  client.clock.advance(30 * DAY);
  await client.source.keepFresh();
  assert.equal(await client.version(), 'TRUST_STALE');
});

test('the seed, too, ends with the root it came with where the repository answers what is not acceptable', async (t) => {
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(FIRST);
  mirror.answer = () => Buffer.from('<html>');
  const client = await rootClient(t, mirror);
  const asOf = client.clock.now();
  const seeded = await client.reopen({ seed: { bytes: FIRST, asOf } });
  seeded.clock.advance(364 * DAY);
  await seeded.source.keepFresh();
  assert.equal(await seeded.version(400 * DAY), first);
  seeded.clock.advance(DAY);
  assert.equal(await seeded.version(400 * DAY), 'TRUST_STALE');
});

test("a root that is not the repository's own: nothing of it is believed", async (t) => {
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(FIRST);
  const other = await TrustedRootMirror.start(t);
  other.publish(LATER);
  const client = await rootClient(t, mirror, { pin: other.repository.root() });
  assert.match(await client.version(), /^(?:KEY_NOT_TRUSTED|SIGNATURE_INVALID|SIGNERS_MISSING)$/);
});

const STEPS_LIMIT = 60;

test('a crash at any step of an update leaves the trusted root before it or the one after it, and no network is needed', async (t) => {
  const seen = new Set<string>();
  for (let step = 1; step <= STEPS_LIMIT; step += 1) {
    const mirror = await TrustedRootMirror.start(t);
    mirror.publish(FIRST);
    const client = await rootClient(t, mirror);
    await client.current();
    mirror.publish(LATER);
    client.clock.advance(HOUR);
    const disk = new FaultyDisk({ crashAt: step });
    const dying = await client.reopen({ disk });
    await dying.source.keepFresh();
    mirror.answer = () => 503;
    const restarted = await dying.reopen({ disk: new FaultyDisk() });
    const version = await restarted.version();
    if (disk.steps.length < step) {
      assert.equal(version, later);
      assert.ok(step > 10, 'the steps were found');
      assert.deepEqual(seen, new Set([first, later]), 'both were left by some step');
      return;
    }
    assert.ok([first, later].includes(version), `${version} after ${disk.steps.at(-1)}`);
    seen.add(version);
  }
  assert.fail('an update takes more steps than expected');
});
