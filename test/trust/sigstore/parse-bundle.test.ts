import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBoundedJson } from '../../../trust/sigstore/bounded-json.ts';
import { parseBundle } from '../../../trust/sigstore/parse-bundle.ts';
import { imageStatement } from '../../support/image-statement.ts';
import type { Json } from '../../support/sigstore-json.ts';
import { SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { changed, DIGEST, outcomeOf } from './cases.ts';

const publisher = await SigstorePublisher.create();
const bundle = await publisher.statement(imageStatement(DIGEST), { timestamp: true });
const message = await publisher.message(Buffer.from('x'));

/** What is refused before anything is verified. */
const TABLE: readonly [what: string, change: (bundle: Json) => void, outcome: RegExp][] = [
  [
    'two kinds of content',
    (one) => {
      one.messageSignature = message.messageSignature;
    },
    /^METADATA_INVALID the bundle: expected one of messageSignature, dsseEnvelope, got messageSignature and dsseEnvelope$/,
  ],
  [
    'no content',
    (one) => {
      one.dsseEnvelope = undefined;
    },
    /^METADATA_INVALID the bundle: expected one of messageSignature, dsseEnvelope, got none$/,
  ],
  [
    'a key and a certificate',
    (one) => {
      one.verificationMaterial.publicKey = { hint: '' };
    },
    /^METADATA_INVALID verificationMaterial: expected one of .*, got publicKey and certificate$/,
  ],
  [
    'a version that is not known',
    (one) => {
      one.mediaType = 'application/vnd.dev.sigstore.bundle.v0.9+json';
    },
    /^SIGNATURE_UNSUPPORTED expected a bundle of version 0\.1, 0\.2 or 0\.3/,
  ],
  [
    'nine timestamps',
    (one) => {
      const data = one.verificationMaterial.timestampVerificationData;
      data.rfc3161Timestamps = Array.from({ length: 9 }, () => data.rfc3161Timestamps[0]);
    },
    /^METADATA_INVALID the bundle: expected at most 8 timestamps, got 9$/,
  ],
  [
    'a megabyte too much',
    (one) => {
      one.dsseEnvelope.payload = 'A'.repeat(1024 * 1024);
    },
    /^METADATA_INVALID the bundle: expected at most 1048576 bytes, got \d+$/,
  ],
  [
    'levels without end',
    (one) => {
      one.more = JSON.parse('['.repeat(500) + ']'.repeat(500));
    },
    /^METADATA_INVALID the bundle: expected at most 16 levels, got more$/,
  ],
];

for (const [what, change, outcome] of TABLE) {
  test(`a bundle with ${what} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify(changed(bundle, change)));
    assert.match(
      outcomeOf(() => parseBundle(bytes)),
      outcome,
    );
  });
}

test('what is no JSON, no text or no object is refused', () => {
  for (const text of ['', '{', 'null', '[]', '7', '"x"', '{}']) {
    assert.match(
      outcomeOf(() => parseBundle(Buffer.from(text))),
      /^(?:METADATA_INVALID|SIGNATURE_UNSUPPORTED) /,
      text,
    );
  }
  assert.match(
    outcomeOf(() => parseBundle(Buffer.of(0x22, 0xff, 0x22))),
    /^METADATA_INVALID /,
  );
});

test('what is signed may have long lists, what holds the signature may not', () => {
  const bytes = Buffer.from(JSON.stringify(Array.from({ length: 65 }, () => 1)));
  assert.equal(
    outcomeOf(() => parseBoundedJson(bytes, 'x', 'any')),
    'good',
  );
  assert.equal(
    outcomeOf(() => parseBoundedJson(bytes, 'x', 'short')),
    'METADATA_INVALID x: expected at most 64 members in a list, got 65',
  );
});
