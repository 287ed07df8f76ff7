/** trust.md 1.10, "Content", third part: tags and digests that are signed somewhere, but not as what is pulled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
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
const BOB = 'targets/bob';

interface Case {
  readonly cause: string;
  readonly outcome: string;
  readonly signers?: readonly string[];
  readonly requireReleases?: boolean;
  /** `1.0` unless told. */
  readonly reference?: string;
  bend(repository: NotaryRepository): void;
}

function alsoBy(roles: readonly string[], image = IMAGE) {
  return (repository: NotaryRepository) => {
    for (const role of roles) {
      repository.delegate(role);
      repository.sign('1.0', image, role);
    }
  };
}

const cases: readonly Case[] = [
  { cause: 'a tag that is not signed', outcome: 'TAG_NOT_SIGNED', reference: '2.0', bend: () => undefined },
  {
    cause: 'a tag with the name of a property of every object',
    outcome: 'TAG_NOT_SIGNED',
    reference: 'constructor',
    bend: () => undefined,
  },
  {
    cause: 'a tag that only a role beside releases signed',
    outcome: 'TAG_NOT_SIGNED',
    reference: '2.0',
    bend: (repository) => {
      repository.delegate(ALICE);
      repository.sign('2.0', IMAGE, ALICE);
    },
  },
  {
    cause: 'a tag that a role below releases signed, and targets too',
    outcome: 'TAG_NOT_SIGNED',
    bend: (repository) => {
      repository.delegate(RELEASES);
      repository.sign('other', IMAGE, RELEASES);
      repository.delegate(`${RELEASES}/ci`);
      repository.sign('1.0', OTHER_IMAGE, `${RELEASES}/ci`);
    },
  },
  {
    cause: 'releases are required, and there are none',
    outcome: 'TAG_NOT_SIGNED',
    requireReleases: true,
    bend: () => undefined,
  },
  {
    cause: 'releases are required, and only targets has the tag',
    outcome: 'TAG_NOT_SIGNED',
    requireReleases: true,
    bend: (repository) => {
      repository.delegate(RELEASES);
      repository.sign('other', IMAGE, RELEASES);
    },
  },
  {
    cause: 'releases are required, and have the tag',
    outcome: 'vouched',
    requireReleases: true,
    bend: alsoBy([RELEASES]),
  },
  {
    cause: 'a required signer signed as well',
    outcome: 'vouched',
    signers: ['alice'],
    bend: alsoBy([RELEASES, ALICE]),
  },
  { cause: 'a required signer, by its full name', outcome: 'vouched', signers: [ALICE], bend: alsoBy([ALICE]) },
  {
    cause: 'one of two required signers has no role',
    outcome: 'SIGNERS_MISSING',
    signers: ['alice', 'bob'],
    bend: alsoBy([ALICE]),
  },
  {
    cause: 'one of two required signers signed another tag',
    outcome: 'SIGNERS_MISSING',
    signers: ['alice', 'bob'],
    bend: (repository) => {
      alsoBy([ALICE])(repository);
      repository.delegate(BOB);
      repository.sign('2.0', IMAGE, BOB);
    },
  },
  {
    cause: 'a required signer signed another digest',
    outcome: 'SIGNERS_DISAGREE',
    signers: ['alice'],
    bend: alsoBy([ALICE], OTHER_IMAGE),
  },
  {
    cause: 'a required signer signed the digest with another size',
    outcome: 'SIGNERS_DISAGREE',
    signers: ['alice'],
    bend: alsoBy([ALICE], { ...IMAGE, size: 1 }),
  },
  {
    cause: 'all required signers signed what targets does not say',
    outcome: 'SIGNERS_DISAGREE',
    signers: ['alice', 'bob'],
    bend: alsoBy([ALICE, BOB], OTHER_IMAGE),
  },
  { cause: 'a digest that a tag means now', outcome: 'vouched', reference: IMAGE.digest, bend: () => undefined },
  {
    cause: 'a digest that was never signed, of a child of an index perhaps',
    outcome: 'DIGEST_NOT_SIGNED',
    reference: imageOf('child').digest,
    bend: () => undefined,
  },
  {
    cause: 'a digest that only a role beside releases signed',
    outcome: 'DIGEST_NOT_SIGNED',
    reference: OTHER_IMAGE.digest,
    bend: alsoBy([ALICE], OTHER_IMAGE),
  },
  {
    cause: 'a digest of targets whose tag means another in releases',
    outcome: 'DIGEST_NOT_SIGNED',
    reference: IMAGE.digest,
    bend: alsoBy([RELEASES], OTHER_IMAGE),
  },
  {
    cause: 'a digest that a required signer has not signed',
    outcome: 'DIGEST_NOT_SIGNED',
    reference: IMAGE.digest,
    signers: ['alice'],
    bend: () => undefined,
  },
  {
    cause: 'a digest of which one tag is without the signer, and another one with',
    outcome: 'vouched',
    reference: IMAGE.digest,
    signers: ['alice'],
    bend: (repository) => {
      repository.sign('2.0', IMAGE);
      repository.delegate(ALICE);
      repository.sign('2.0', IMAGE, ALICE);
    },
  },
];

for (const { cause, outcome, reference = '1.0', signers = [], requireReleases = false, bend } of cases) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = signedRepository();
    bend(repository);
    repository.publish(NOW);
    const { judge } = await notaryClient(t, repository, { signers, requireReleases });
    assert.equal(outcomeOf(await judge(reference)), outcome);
  });
}

test('a digest that a tag has moved away from is not signed any more', async (t) => {
  const { judge, repository } = await notaryClient(t);
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'vouched');
  repository.sign('1.0', OTHER_IMAGE);
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
  assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), 'vouched');
});

test('a digest in SHA-512 is found where the publisher signed one', async (t) => {
  const repository = signedRepository();
  const bytes = Buffer.alloc(64, 7);
  repository.edit('targets', (part) => {
    Object.assign(part.targets['1.0']?.hashes ?? {}, { sha512: bytes.toString('base64') });
  });
  const { judge } = await notaryClient(t, repository);
  const finding = await judge(`sha512:${bytes.toString('hex')}`);
  assert.equal(finding.outcome === 'vouched' && finding.digest, `sha512:${bytes.toString('hex')}`);
});
