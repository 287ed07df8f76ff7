import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { attestation, imageStatement, simpleSigning } from '../../support/image-statement.ts';
import { ecKey } from '../../support/key-pair.ts';
import type { Json } from '../../support/sigstore-json.ts';
import { IDENTITY, ISSUER, type SignOptions, SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { changed, check, DIGEST, keyed, keyless, OTHER_DIGEST, outcomeOf } from './cases.ts';

const publisher = await SigstorePublisher.create();
const statement = imageStatement(DIGEST);
const payload = Buffer.from(JSON.stringify(simpleSigning(DIGEST)));

const WAYS: readonly [name: string, options: SignOptions][] = [
  ['Rekor v1', {}],
  ['Rekor v1 and a timestamp', { timestamp: true }],
  ['Rekor v2 and a timestamp', { log: 'v2' }],
];

for (const [name, options] of WAYS) {
  test(`a keyless statement is good with ${name}`, async () => {
    const verified = check({ publisher, policy: keyless(), bundle: await publisher.statement(statement, options) });
    assert.equal(verified.signer.kind === 'certificate' && verified.signer.certificate.identity.text, IDENTITY);
    assert.deepEqual(verified.signedAt, publisher.signedAt);
    assert.match(verified.log?.index ?? '', /^\d+$/);
  });

  test(`a keyless message is good with ${name}`, async () => {
    const bundle = await publisher.message(payload, options);
    assert.equal(
      outcomeOf(() => check({ publisher, policy: keyless(), bundle, artifact: payload })),
      'good',
    );
  });
}

test('without a log it is good only where the policy does without, and a timestamp proves the time', async () => {
  const bundle = await publisher.statement(statement, { log: 'none', timestamp: true });
  assert.equal(
    outcomeOf(() => check({ publisher, policy: keyless({ log: false }), bundle })),
    'good',
  );
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
    /^SIGNATURE_UNLOGGED /,
  );
});

const KEYS = {
  'P-256': ecKey(),
  'P-384': ecKey('P-384'),
  'P-521': ecKey('P-521'),
  Ed25519: generateKeyPairSync('ed25519'),
  'RSA 2048': generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

for (const [name, key] of Object.entries(KEYS)) {
  test(`a key of kind ${name} signs statements and messages, logged or not`, async () => {
    for (const log of ['none', 'v1'] as const) {
      const policy = keyed([ecKey(), key], { log: log === 'v1' });
      const bundle = await publisher.statement(statement, { key, log });
      assert.equal(
        outcomeOf(() => check({ publisher, policy, bundle })),
        'good',
        `statement, ${log}`,
      );
      const message = await publisher.message(payload, { key, log });
      assert.equal(
        outcomeOf(() => check({ publisher, policy, bundle: message, artifact: payload })),
        'good',
        log,
      );
    }
  });
}

test('what a key signed is good wherever it was logged, if the policy asks for no log', async () => {
  const key = ecKey();
  const bundle = changed(await publisher.statement(statement, { key }), (one) => {
    one.verificationMaterial.tlogEntries[0].logId.keyId = Buffer.alloc(32).toString('base64');
  });
  assert.equal(
    outcomeOf(() => check({ publisher, policy: keyed([key]), bundle })),
    'good',
  );
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyed([key], { log: true }), bundle })),
    /^SIGNATURE_INVALID/,
  );
});

const DAY = 24 * 3_600_000;
const key = ecKey();

const tampered =
  (change: (bundle: Json) => void, options: SignOptions = {}) =>
  async () =>
    changed(await publisher.statement(statement, options), change);
const entry = (change: (entry: Json) => void, options: SignOptions = {}) =>
  tampered((bundle) => change(bundle.verificationMaterial.tlogEntries[0]), options);

/** What is refused, and how: the bundle, the policy, and the outcome. */
const REFUSALS: readonly [
  cause: string,
  bundle: () => Promise<Json>,
  policy: ReturnType<typeof keyless>,
  outcome: RegExp,
][] = [
  [
    'an identity that only contains the right one',
    () => publisher.statement(statement, { identity: `https://evil.example/?${IDENTITY}` }),
    keyless(),
    /^IDENTITY_MISMATCH the signer is "https:\/\/evil\.example\/\?/,
  ],
  [
    'an identity that goes on after the right one',
    () => publisher.statement(statement, { identity: `${IDENTITY}-evil` }),
    keyless(),
    /^IDENTITY_MISMATCH /,
  ],
  [
    'another issuer',
    () => publisher.statement(statement, { issuer: 'https://accounts.google.com' }),
    keyless(),
    /^IDENTITY_MISMATCH the signer was authenticated by "https:\/\/accounts\.google\.com", expected by/,
  ],
  [
    'an issuer that only begins like the right one',
    () => publisher.statement(statement, { issuer: `${ISSUER}.evil.example` }),
    keyless(),
    /^IDENTITY_MISMATCH /,
  ],
  [
    'a key that the policy does not name',
    () => publisher.statement(statement, { key }),
    keyed([ecKey()]),
    /^KEY_NOT_TRUSTED /,
  ],
  [
    'a key where a certificate is wanted',
    () => publisher.statement(statement, { key }),
    keyless(),
    /^KEY_NOT_TRUSTED /,
  ],
  [
    'another image',
    () => publisher.statement(imageStatement(OTHER_DIGEST)),
    keyless(),
    /^SUBJECT_MISMATCH it is for "sha256:[0-9a-f]{64}", not for this image$/,
  ],
  [
    'an attestation offered as a signature',
    () => publisher.statement(attestation(DIGEST, 'https://slsa.dev/provenance/v1')),
    keyless(),
    /^SUBJECT_MISMATCH it is an attestation of type "https:\/\/slsa\.dev\/provenance\/v1"/,
  ],
  [
    'a signature offered as an attestation',
    () => publisher.statement(statement),
    keyless({}, { content: { predicateType: 'https://slsa.dev/provenance/v1' } }),
    /^ATTESTATION_MISSING /,
  ],
  [
    'a signature without log entry',
    () => publisher.statement(statement, { log: 'none', timestamp: true }),
    keyless(),
    /^SIGNATURE_UNLOGGED /,
  ],
  [
    'a keyed signature without log entry',
    () => publisher.statement(statement, { key, log: 'none' }),
    keyed([key], { log: true }),
    /^SIGNATURE_UNLOGGED /,
  ],
  [
    'a certificate of ten minutes without a proof of when it signed',
    () => publisher.statement(statement, { log: 'none' }),
    keyless({ log: false }),
    /^SIGNATURE_EXPIRED its time is not proved: expected 1 timestamps, got 0$/,
  ],
  [
    'Rekor v2, which proves no time, without a timestamp',
    () => publisher.statement(statement, { log: 'v2', timestamp: false }),
    keyless(),
    /^SIGNATURE_EXPIRED its time is not proved: expected 1 timestamps, got 0$/,
  ],
  [
    'a time that no promise of the log signs',
    entry((one) => {
      one.integratedTime = String(publisher.signedAt.getTime() / 1000);
      one.inclusionPromise = undefined;
    }),
    keyless(),
    /^SIGNATURE_EXPIRED its time is not proved: expected 1 timestamps, got 0$/,
  ],
  [
    'a log entry with another time',
    entry((one) => {
      one.integratedTime = String(Number(one.integratedTime) + 1);
    }),
    keyless(),
    /^SIGNATURE_INVALID /,
  ],
  [
    'a log entry with another body',
    entry((one) => {
      const body = JSON.parse(Buffer.from(one.canonicalizedBody, 'base64').toString());
      one.canonicalizedBody = Buffer.from(JSON.stringify({ ...body, more: 1 })).toString('base64');
    }),
    keyless(),
    /^SIGNATURE_INVALID /,
  ],
  [
    'a checkpoint of another log',
    entry(
      (one) => {
        one.inclusionProof.checkpoint.envelope = one.inclusionProof.checkpoint.envelope.replace(
          / ([^ ]+)\n$/,
          ' AAAAAAAAAA==\n',
        );
      },
      { log: 'v2' },
    ),
    keyless(),
    /^SIGNATURE_INVALID /,
  ],
  [
    'a proof for another place in the log',
    entry(
      (one) => {
        one.inclusionProof.rootHash = Buffer.alloc(32).toString('base64');
        one.inclusionProof.hashes = [Buffer.alloc(32).toString('base64')];
      },
      { log: 'v2' },
    ),
    keyless(),
    /^SIGNATURE_INVALID /,
  ],
  [
    'another payload than was signed',
    tampered((bundle) => {
      const other = JSON.stringify(imageStatement(OTHER_DIGEST));
      bundle.dsseEnvelope.payload = Buffer.from(other).toString('base64');
    }),
    keyless(),
    /^SIGNATURE_INVALID /,
  ],
  [
    'an annotation that differs',
    () => publisher.statement(imageStatement(DIGEST, { annotations: { env: 'test' } })),
    keyless({}, { content: { annotations: new Map([['env', 'production']]) } }),
    /^SUBJECT_MISMATCH its annotation "env" is "test", expected "production"$/,
  ],
  [
    'a signature for another repository, where the policy compares it',
    () => publisher.statement(imageStatement(DIGEST, { name: 'ghcr.io/acme/other' })),
    keyless({}, { content: { reference: 'ghcr.io/acme/app' } }),
    /^SUBJECT_MISMATCH the image was signed as "ghcr\.io\/acme\/other", expected "ghcr\.io\/acme\/app"$/,
  ],
  [
    'a signature for no repository, where the policy compares it',
    () => publisher.statement(statement),
    keyless({}, { content: { reference: 'ghcr.io/acme/app' } }),
    /^SUBJECT_MISMATCH the image was signed under no name/,
  ],
  [
    'a signature older than the policy allows',
    () => publisher.statement(statement),
    keyless({}, { maxAge: 60_000 }),
    /^SIGNATURE_EXPIRED it was made on \d{4}-/,
  ],
  [
    'a key whose time must be proved, without a timestamp',
    () => publisher.statement(statement, { key, log: 'none' }),
    keyed([key], { timestamp: true }),
    /^SIGNATURE_EXPIRED its time is not proved: expected 1 timestamps, got 0$/,
  ],
  [
    'a signature of no proved age where the policy has a limit',
    () => publisher.statement(statement, { key, log: 'none' }),
    keyed([key], {}, { maxAge: DAY }),
    /^SIGNATURE_EXPIRED it was made at no proved time/,
  ],
];

for (const [cause, bundle, policy, outcome] of REFUSALS) {
  test(`refused: ${cause}`, async () => {
    const made = await bundle();
    assert.match(
      outcomeOf(() => check({ publisher, policy, bundle: made })),
      outcome,
    );
  });
}

test('a timestamp made after the certificate had ended proves nothing', async () => {
  const late = await SigstorePublisher.create({ timestampAt: 3_600_000 });
  const bundle = await late.statement(statement, { log: 'v2' });
  const now = new Date(late.now.getTime() + DAY);
  assert.match(
    outcomeOf(() => check({ publisher: late, policy: keyless(), bundle, now })),
    /^SIGNATURE_EXPIRED its certificate/,
  );
});

test('a certificate must be in a certificate log that is trusted, unless the policy does without', async () => {
  const unlogged = await SigstorePublisher.create({ certificateLog: false });
  const bundle = await unlogged.statement(statement);
  assert.match(
    outcomeOf(() => check({ publisher: unlogged, policy: keyless(), bundle })),
    /^SIGNATURE_UNLOGGED its certificate/,
  );
  assert.equal(
    outcomeOf(() => check({ publisher: unlogged, policy: keyless({ certificateLog: false }), bundle })),
    'good',
  );
  const elsewhere = publisher.trustedRoot((root) => {
    root.ctlogs = [];
  });
  const logged = await publisher.statement(statement);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: logged, root: elsewhere })),
    /^SIGNATURE_UNLOGGED its certificate/,
  );
});

test('a key may prove its time by a timestamp alone, or by its log', async () => {
  const policy = keyed([key], { timestamp: true });
  const stamped = await publisher.statement(statement, { key, log: 'none', timestamp: true });
  assert.deepEqual(check({ publisher, policy, bundle: stamped }).signedAt, publisher.signedAt);
  const logged = await publisher.statement(statement, { key });
  assert.deepEqual(
    check({ publisher, policy: keyed([key], { log: true, timestamp: true }), bundle: logged }).signedAt,
    publisher.signedAt,
  );
});

test('a signature from the future is refused', async () => {
  const bundle = await publisher.statement(statement);
  const now = new Date(publisher.signedAt.getTime() - 3_600_000);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle, now })),
    /^SIGNATURE_INVALID it is said/,
  );
});

test('a certificate of a CA that is not in the trusted root is refused', async () => {
  const stranger = await SigstorePublisher.create();
  const bundle = await stranger.statement(statement);
  const root = publisher.trustedRoot((one) => {
    const theirs = JSON.parse(stranger.trustedRoot().toString());
    one.tlogs = theirs.tlogs;
    one.ctlogs = theirs.ctlogs;
  });
  assert.match(
    outcomeOf(() => check({ publisher: stranger, policy: keyless(), bundle, root })),
    /^KEY_NOT_TRUSTED its certificate/,
  );
});

test('conditions on certificate and predicate are whole texts or patterns', async () => {
  const provenance = 'https://slsa.dev/provenance/v1';
  const predicate = { runDetails: { builder: { id: 'https://github.com/actions/runner' } }, count: 1 };
  const bundle = await publisher.statement(attestation(DIGEST, provenance, predicate), {
    claims: { 12: 'https://github.com/acme/app', 13: 'abc' },
  });
  const policyOf = (claim: string, path: string, value: string) =>
    keyless(
      { claims: new Map([['sourceRepositoryURI', pattern(claim)]]) },
      { content: { predicateType: provenance, predicate: new Map([[path, pattern(value)]]) } },
    );
  const outcome = (claim: string, path: string, value: string) =>
    outcomeOf(() => check({ publisher, policy: policyOf(claim, path, value), bundle })).split(' ')[0];
  assert.equal(
    outcome('https://github.com/acme/*', 'runDetails.builder.id', 'https://github.com/actions/runner'),
    'good',
  );
  assert.equal(outcome('https://github.com/acme/app', 'count', '1'), 'good');
  assert.equal(outcome('https://github.com/acme/ap', 'count', '1'), 'IDENTITY_MISMATCH');
  assert.equal(
    outcome('https://github.com/acme/app', 'runDetails.builder.id', 'https://github.com'),
    'ATTESTATION_MISSING',
  );
  assert.equal(outcome('https://github.com/acme/app', 'runDetails.builder', '*'), 'ATTESTATION_MISSING');
  assert.equal(outcome('https://github.com/acme/app', 'constructor.name', '*'), 'ATTESTATION_MISSING');
});

function pattern(text: string) {
  return { text, literals: text.split('*') };
}
