/**
 * What @sigstore/verify lets pass, one by one: each first shown to pass there, then refused here. When a new version of the
 * library refuses it too, the first half says so.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, type VerificationPolicy, Verifier, type VerifierOptions } from '@sigstore/verify';
import { extension, makeCertificate } from '../../support/make-certificate.ts';
import { boolean, der, objectId, sequence } from '../../support/der.ts';
import { checkAuthority, readSigningCertificate } from '../../../trust/sigstore/certificate.ts';
import { requireStrict } from '../../../trust/sigstore/policy.ts';
import { parseTrustedRoot } from '../../../trust/sigstore/trusted-root.ts';
import { attestation, imageStatement } from '../../support/image-statement.ts';
import { ecKey } from '../../support/key-pair.ts';
import type { Json } from '../../support/sigstore-json.ts';
import { IDENTITY, ISSUER, SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { changed, check, DIGEST, keyed, keyless, OTHER_DIGEST, outcomeOf } from './cases.ts';

const publisher = await SigstorePublisher.create();
const statement = imageStatement(DIGEST);
const key = ecKey();

/** The library alone, as its documentation has it. */
function byLibrary(bundle: Json, options: VerifierOptions = {}, policy?: VerificationPolicy, artifact?: Buffer): void {
  const { material } = parseTrustedRoot(publisher.trustedRoot());
  const known = { ...material, publicKey: () => ({ publicKey: key.publicKey, validFor: () => true }) };
  new Verifier(known, options).verify(toSignedEntity(bundleFromJSON(bundle), artifact), policy);
}

const NONE: VerifierOptions = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

test('trap 1: a policy of keys does not take a certificate, whoever has signed', async () => {
  const stranger = await publisher.statement(statement, { identity: 'https://evil.example' });
  byLibrary(stranger, NONE);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyed([key]), bundle: stranger })),
    /^KEY_NOT_TRUSTED /,
  );
  // By the right key, and dressed in a certificate: what such a bundle means is not for us to guess.
  const rawBytes = stranger.verificationMaterial.certificate.rawBytes;
  const dressed = await publisher.statement(statement, { key, shownCertificate: Buffer.from(rawBytes, 'base64') });
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyed([key]), bundle: dressed })),
    /^KEY_NOT_TRUSTED it comes with a certificate/,
  );
});

test('trap 2: an identity is a whole text, no regular expression', async () => {
  const evil = await publisher.statement(statement, { identity: `https://evil.example/${IDENTITY}` });
  byLibrary(evil, {}, { subjectAlternativeName: IDENTITY });
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: evil })),
    /^IDENTITY_MISMATCH /,
  );
  const dotted = await publisher.statement(statement, { identity: IDENTITY.replace('github.com', 'githubXcom') });
  byLibrary(dotted, {}, { subjectAlternativeName: IDENTITY });
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: dotted })),
    /^IDENTITY_MISMATCH /,
  );
});

test('trap 3: a policy that names nobody cannot be made', async () => {
  const bundle = await publisher.statement(statement, { identity: 'https://evil.example' });
  byLibrary(bundle, {}, { subjectAlternativeName: '', extensions: {} });
  byLibrary(bundle);
  for (const policy of [
    keyless({ identity: '' }),
    keyless({ identity: '*' }),
    keyless({ issuer: '' }),
    keyed([]),
    keyed([key], { threshold: 0 }),
    keyed([key], { threshold: 2 }),
    keyed([key, key], { threshold: 2 }),
    keyless({}, { content: { predicate: new Map([['a', { text: 'b', literals: ['b'] }]]) } }),
  ]) {
    assert.throws(() => requireStrict(policy), RangeError);
  }
});

const general = (tag: number, text: string) => der(tag, Buffer.from(text));
const names = (...parts: Buffer[]) => extension('2.5.29.17', 'critical', sequence(...parts));
const URI = general(0x86, IDENTITY);
const issuer = extension('1.3.6.1.4.1.57264.1.1', 'optional', Buffer.from(ISSUER));

function certificate(extensions: readonly Buffer[], ca?: object): Buffer {
  const text = makeCertificate({
    subject: 'x',
    issuer: 'x',
    publicKey: key.publicKey,
    issuerKey: key.privateKey,
    notBefore: new Date(),
    notAfter: new Date(Date.now() + 600_000),
    extensions,
    ...(ca === undefined ? {} : { ca }),
  });
  return Buffer.from(text.replaceAll(/-----[^-]+-----/g, ''), 'base64');
}

test('trap 4: a certificate with two names is nobody, and names of any kind are read', () => {
  const said = readSigningCertificate(certificate([names(URI), issuer]));
  assert.deepEqual([said.identity, said.issuer], [{ kind: 'uri', text: IDENTITY }, ISSUER]);
  const email = readSigningCertificate(certificate([names(general(0x81, 'ci@acme.example'))]));
  assert.deepEqual(email.identity, { kind: 'email', text: 'ci@acme.example' });
  const username = der(0xa0, objectId('1.3.6.1.4.1.57264.1.7'), der(0xa0, der(0x0c, Buffer.from('ci!acme.example'))));
  const other = readSigningCertificate(certificate([names(username)]));
  assert.deepEqual(other.identity, { kind: 'username', text: 'ci!acme.example' });
  const two = certificate([names(URI, general(0x86, 'https://evil.example')), issuer]);
  assert.match(
    outcomeOf(() => readSigningCertificate(two)),
    /^KEY_NOT_TRUSTED .* names 2 identities/,
  );
  assert.match(
    outcomeOf(() => readSigningCertificate(certificate([issuer]))),
    /^KEY_NOT_TRUSTED .* names 0 identities/,
  );
  const dns = certificate([names(general(0x82, 'acme.example'))]);
  assert.match(
    outcomeOf(() => readSigningCertificate(dns)),
    /^KEY_NOT_TRUSTED .* a form that is not supported/,
  );
});

test('trap 4: an address is no URI, even with the same text', async () => {
  const bundle = await publisher.statement(statement, { identity: 'ci@acme.example' });
  const outcome = outcomeOf(() => check({ publisher, policy: keyless({ identity: 'ci@acme.example' }), bundle }));
  // The mock writes every identity as a URI.
  assert.match(outcome, /^IDENTITY_MISMATCH /);
});

test('trap 4: two issuers, or bytes that are no text, are not read as one', () => {
  const v2 = (bytes: Uint8Array) => extension('1.3.6.1.4.1.57264.1.8', 'optional', der(0x0c, bytes));
  const both = certificate([names(URI), issuer, v2(Buffer.from('https://evil.example'))]);
  assert.match(
    outcomeOf(() => readSigningCertificate(both)),
    /^KEY_NOT_TRUSTED .* says two things of its issuer/,
  );
  // Read as ASCII, as the library does, each of these bytes loses its high bit and is the right issuer.
  const high = Buffer.from(ISSUER).map((byte) => byte | 0x80);
  assert.match(
    outcomeOf(() => readSigningCertificate(certificate([names(URI), v2(high)]))),
    /^METADATA_INVALID /,
  );
  const twice = certificate([names(URI), issuer, issuer]);
  assert.match(
    outcomeOf(() => readSigningCertificate(twice)),
    /^METADATA_INVALID /,
  );
});

const WRONG_STATEMENTS: readonly [what: string, make: () => Promise<Json>, outcome: RegExp][] = [
  ['another payload type', () => publisher.statement(statement, {}, 'text/plain'), /^SIGNATURE_UNSUPPORTED /],
  [
    'no in-toto statement',
    () => publisher.statement({ ...statement, _type: 'https://in-toto.io/Statement/v9' }),
    /^METADATA_INVALID the statement/,
  ],
  ['no type', () => publisher.statement({ ...statement, _type: undefined }), /^METADATA_INVALID the statement/],
  ['another subject', () => publisher.statement(imageStatement(OTHER_DIGEST)), /^SUBJECT_MISMATCH /],
  ['no subject', () => publisher.statement({ ...statement, subject: [] }), /^METADATA_INVALID the statement/],
  [
    'another hash of the subject',
    () => publisher.statement({ ...statement, subject: [{ digest: { md5: DIGEST.slice(7) } }] }),
    /^SUBJECT_MISMATCH /,
  ],
  [
    'a report',
    () => publisher.statement(attestation(DIGEST, 'https://cosign.sigstore.dev/attestation/vuln/v1')),
    /^SUBJECT_MISMATCH /,
  ],
];

for (const [what, make, outcome] of WRONG_STATEMENTS) {
  test(`trap 5: a statement with ${what} is no signature of the image`, async () => {
    const bundle = await make();
    byLibrary(bundle);
    assert.match(
      outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
      outcome,
    );
  });
}

for (const log of ['v1', 'v2'] as const) {
  test(`trap 6: a log entry of somebody else's key does not count (Rekor ${log})`, async () => {
    const other = { log, loggedKey: ecKey() };
    const artifact = Buffer.from('x');
    for (const bundle of [await publisher.statement(statement, other), await publisher.message(artifact, other)]) {
      byLibrary(bundle, {}, undefined, artifact);
      assert.match(
        outcomeOf(() => check({ publisher, policy: keyless(), bundle, artifact })),
        /^SIGNATURE_INVALID its log entry is about another key/,
      );
    }
    const bundle = await publisher.statement(statement, { ...other, key });
    byLibrary(bundle);
    assert.match(
      outcomeOf(() => check({ publisher, policy: keyed([key], { log: true }), bundle })),
      /^SIGNATURE_INVALID its log entry is about another key/,
    );
  });
}

test('trap 6: a bare key in the log is not the certificate for it', async () => {
  const leafKey = ecKey();
  const bundle = await publisher.statement(statement, { leafKey, loggedKey: leafKey });
  byLibrary(bundle);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
    /^SIGNATURE_INVALID its log entry is about another key/,
  );
});

test('trap 7: the digest that a bundle gives is that of the artifact', async () => {
  const artifact = Buffer.from('the artifact');
  const bundle = changed(await publisher.message(artifact, { log: 'none', timestamp: true }), (one) => {
    one.messageSignature.messageDigest.digest = Buffer.alloc(32, 1).toString('base64');
  });
  byLibrary(bundle, { tlogThreshold: 0 }, undefined, artifact);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless({ log: false }), bundle, artifact })),
    /^SUBJECT_MISMATCH the signature is for other content/,
  );
});

test('trap 8: a message that an Ed25519 key has signed is verified', async () => {
  const pair = generateKeyPairSync('ed25519');
  const artifact = Buffer.from(JSON.stringify({}));
  const bundle = await publisher.message(artifact, { key: pair, log: 'none' });
  const { material } = parseTrustedRoot(publisher.trustedRoot());
  const known = { ...material, publicKey: () => ({ publicKey: pair.publicKey, validFor: () => true }) };
  assert.throws(() => new Verifier(known, NONE).verify(toSignedEntity(bundleFromJSON(bundle), artifact)), /signature/);
  // The signature is good; what it is over is no image.
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyed([pair]), bundle, artifact })),
    /^SUBJECT_MISMATCH expected a cosign/,
  );
});

test('trap 9: whatever breaks inside is a refusal, with the cause kept', async () => {
  const bundle = await publisher.statement(statement, { timestamp: true });
  const broken: readonly ((one: Json) => void)[] = [
    (one) => {
      one.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp = 'MAA=';
    },
    (one) => {
      one.verificationMaterial.certificate.rawBytes = 'MAA=';
    },
    (one) => {
      one.verificationMaterial.tlogEntries[0].canonicalizedBody = 'e30=';
    },
    (one) => {
      one.verificationMaterial.tlogEntries[0].logIndex = 'x';
    },
    (one) => {
      one.verificationMaterial.tlogEntries[0].inclusionProof.logIndex = '-1';
    },
    (one) => {
      one.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope = 'x';
    },
    (one) => {
      one.verificationMaterial = [];
    },
    (one) => {
      one.dsseEnvelope.signatures = [];
    },
    (one) => {
      one.dsseEnvelope.payload = 7;
    },
    (one) => {
      one.mediaType = ['x'];
    },
  ];
  for (const breaking of broken) {
    const outcome = outcomeOf(() => check({ publisher, policy: keyless(), bundle: changed(bundle, breaking) }));
    assert.match(outcome, /^(?:SIGNATURE_INVALID|METADATA_INVALID|SIGNATURE_UNSUPPORTED) /, String(breaking));
  }
});

test('trap 9: 200,000 log entries are counted, not verified', async () => {
  const bundle = changed(await publisher.statement(statement), (one) => {
    one.verificationMaterial.tlogEntries = Array.from({ length: 200_000 }, () => ({}));
  });
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
    /^METADATA_INVALID the bundle: expected at most 64 members/,
  );
  const nine = changed(await publisher.statement(statement), (one) => {
    one.verificationMaterial.tlogEntries = Array.from({ length: 9 }, () => one.verificationMaterial.tlogEntries[0]);
  });
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: nine })),
    /^METADATA_INVALID the bundle: expected at most 8 log entries/,
  );
});

test('trap 10: a second log entry that cannot be verified spoils a keyless signature, and one of a key not', async () => {
  const second = (one: Json) => {
    const [entry] = one.verificationMaterial.tlogEntries;
    one.verificationMaterial.tlogEntries.push({ ...entry, logId: { keyId: Buffer.alloc(32).toString('base64') } });
  };
  const bundle = changed(await publisher.statement(statement), second);
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
    /^SIGNATURE_INVALID /,
  );
  const byKey = changed(await publisher.statement(statement, { key }), second);
  assert.throws(() => byLibrary(byKey, NONE));
  assert.equal(
    outcomeOf(() => check({ publisher, policy: keyed([key]), bundle: byKey })),
    'good',
  );
});

test('trap 10: a log entry of a kind that cannot be compared is said to be that', async () => {
  for (const [kind, version] of [
    ['rekord', '0.0.1'],
    ['intoto', '0.0.1'],
    ['hashedrekord', '9'],
  ]) {
    const bundle = changed(await publisher.statement(statement), (one) => {
      one.verificationMaterial.tlogEntries[0].kindVersion = { kind, version };
    });
    assert.match(
      outcomeOf(() => check({ publisher, policy: keyless(), bundle })),
      /^SIGNATURE_UNSUPPORTED its log entry/,
    );
  }
});

const WRONG_ROOTS: readonly [what: string, change: (root: Json) => void][] = [
  ['a log without a beginning', (root) => delete root.tlogs[0].publicKey.validFor.start],
  ['a log without a period', (root) => delete root.tlogs[0].publicKey.validFor],
  ['a CA without a beginning', (root) => delete root.certificateAuthorities[0].validFor.start],
  ['a timestamp authority without a beginning', (root) => delete root.timestampAuthorities[0].validFor],
  ['a certificate log without a beginning', (root) => delete root.ctlogs[0].publicKey.validFor],
  [
    'a date that is none',
    (root) => {
      root.tlogs[0].publicKey.validFor.start = 'yesterday';
    },
  ],
  ['no media type', (root) => delete root.mediaType],
  [
    'another media type',
    (root) => {
      root.mediaType = 'application/json';
    },
  ],
  [
    'a CA without certificates',
    (root) => {
      root.certificateAuthorities[0].certChain.certificates = [];
    },
  ],
  [
    'a log key of an unknown kind',
    (root) => {
      root.tlogs[0].publicKey.keyDetails = 'LMS_SHA256';
    },
  ],
  [
    'a log key that is none',
    (root) => {
      root.tlogs[0].publicKey.rawBytes = 'AAAA';
    },
  ],
];

for (const [what, change] of WRONG_ROOTS) {
  test(`trap 11: a trusted root with ${what} is refused`, () => {
    assert.match(
      outcomeOf(() => parseTrustedRoot(publisher.trustedRoot(change))),
      /^METADATA_INVALID /,
    );
  });
}

test('trap 11: a log, or a timestamp authority, is believed only within its period', async () => {
  const before = (one: Json) => {
    one.validFor.end = new Date(publisher.signedAt.getTime() - 1000).toISOString();
  };
  const v2 = await publisher.statement(statement, { log: 'v2' });
  const retired = publisher.trustedRoot((root) => before(root.tlogs[0].publicKey));
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: v2, root: retired })),
    /^SIGNATURE_INVALID its log/,
  );
  const noTime = publisher.trustedRoot((root) => before(root.timestampAuthorities[0]));
  assert.match(
    outcomeOf(() => check({ publisher, policy: keyless(), bundle: v2, root: noTime })),
    /^SIGNATURE_EXPIRED /,
  );
});

test('trap 12: a certificate that is not for signing code, or asks for more than we understand, is refused', () => {
  const plain = certificate([names(URI), issuer]);
  const forServers = Buffer.from(plain.toString('hex').replace('2b06010505070303', '2b06010505070301'), 'hex');
  assert.match(
    outcomeOf(() => readSigningCertificate(forServers)),
    /^KEY_NOT_TRUSTED .* not for signing code/,
  );
  // keyUsage digitalSignature becomes keyCertSign.
  const forSigning = Buffer.from(plain.toString('hex').replace('03020780', '03020204'), 'hex');
  assert.match(
    outcomeOf(() => readSigningCertificate(forSigning)),
    /^KEY_NOT_TRUSTED .* not for signatures/,
  );
  const unknown = certificate([names(URI), extension('1.2.3.4', 'critical', boolean(true))]);
  assert.match(
    outcomeOf(() => readSigningCertificate(unknown)),
    /^KEY_NOT_TRUSTED .* critical extension/,
  );
  const optional = certificate([names(URI), extension('1.2.3.4', 'optional', boolean(true))]);
  assert.equal(
    outcomeOf(() => readSigningCertificate(optional)),
    'good',
  );
});

test('bytes after a certificate are no part of it', () => {
  const more = Buffer.concat([certificate([names(URI), issuer]), Buffer.of(0)]);
  assert.match(
    outcomeOf(() => readSigningCertificate(more)),
    /^METADATA_INVALID the signing certificate is malformed/,
  );
});

test('an envelope with two signatures, or none, is no bundle', async () => {
  const bundle = await publisher.statement(statement);
  for (const count of [0, 2]) {
    const other = changed(bundle, (one) => {
      one.dsseEnvelope.signatures = Array.from({ length: count }, () => one.dsseEnvelope.signatures[0]);
    });
    assert.match(
      outcomeOf(() => check({ publisher, policy: keyless(), bundle: other })),
      /^METADATA_INVALID the bundle/,
    );
  }
});

test('trap 12: a CA does not sign code itself', () => {
  const codeSigning = extension('2.5.29.37', 'optional', sequence(objectId('1.3.6.1.5.5.7.3.3')));
  const plain = certificate([names(URI), issuer, codeSigning], {});
  // keyUsage keyCertSign and cRLSign, and digitalSignature beside them.
  const signing = Buffer.from(plain.toString('hex').replace('03020106', '03020186'), 'hex');
  assert.match(
    outcomeOf(() => readSigningCertificate(signing)),
    /^KEY_NOT_TRUSTED .* is a CA$/,
  );
});

test('trap 12: a CA with constraints that nobody would enforce is not taken into a trusted root', () => {
  const constraints = sequence(der(0xa0, sequence(sequence(general(0x86, 'acme.example')))));
  for (const weight of ['critical', 'optional'] as const) {
    const constrained = certificate([extension('2.5.29.30', weight, constraints)], {});
    assert.match(
      outcomeOf(() => checkAuthority(constrained, 'the CA')),
      /^METADATA_INVALID the CA: /,
    );
    const root = () =>
      publisher.trustedRoot((one) => {
        one.certificateAuthorities[0].certChain.certificates[0].rawBytes = constrained.toString('base64');
      });
    assert.match(
      outcomeOf(() => parseTrustedRoot(root())),
      /^METADATA_INVALID /,
    );
  }
  const unknown = certificate([extension('1.2.3.4', 'critical', boolean(true))], {});
  assert.match(
    outcomeOf(() => checkAuthority(unknown, 'the CA')),
    /^METADATA_INVALID the CA: /,
  );
  assert.equal(
    outcomeOf(() => checkAuthority(certificate([], {}), 'the CA')),
    'good',
  );
});
