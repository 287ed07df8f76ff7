/**
 * TUF specification 1.5.2, "extraneous dependencies attack". Images have no dependencies that a client looks up: what an index lists is in
 * its signed bytes. What is left of the attack: that a target, or what stands beside it, brings in others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, OTHER_IMAGE, outcomeOf, signedRepository, TARGET, tufClient } from '../support/tuf-client.ts';
import type { Part } from '../support/tuf-repository.ts';

const OTHER = OTHER_IMAGE.digest.slice('sha256:'.length);

for (const [where, change] of [
  [
    'the custom part of a target',
    ({ targets }: Part) => {
      targets[TARGET].custom = {
        dependencies: [OTHER_IMAGE.digest],
        hashes: { sha256: OTHER },
        'docker.io/acme/app:2.0': OTHER,
      };
    },
  ],
  [
    'a hash of another kind',
    ({ targets }: Part) => {
      targets[TARGET].hashes.sha3 = OTHER;
      targets[TARGET].hashes['sha-256'] = OTHER;
    },
  ],
  [
    'a part of the metadata that the specification does not know',
    (part: Part) => {
      part.dependencies = { [`docker.io/acme/app@${OTHER_IMAGE.digest}`]: { length: 3, hashes: { sha256: OTHER } } };
    },
  ],
] as const) {
  test(`an image that is named in ${where} is not vouched for; the target itself is`, async (t) => {
    const repository = signedRepository();
    repository.edit('targets', change);
    const { judge } = await tufClient(t, repository);
    const finding = await judge('1.0');
    assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
    assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), 'DIGEST_NOT_SIGNED');
    assert.equal(outcomeOf(await judge('2.0')), 'TAG_NOT_SIGNED');
  });
}
