import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../config/read.ts';
import { folderWith, glance, problemsOf, read } from './config-folder.ts';
import { CERTIFICATE, PRIVATE_KEY } from './pem.ts';

const spki = { publicKeyEncoding: { type: 'spki', format: 'pem' } as const };
const pkcs8 = { privateKeyEncoding: { type: 'pkcs8', format: 'pem' } as const };
const { publicKey: KEY } = generateKeyPairSync('ec', { namedCurve: 'P-256', ...spki, ...pkcs8 });
const { publicKey: WEAK } = generateKeyPairSync('rsa', { modulusLength: 1024, ...spki, ...pkcs8 });
const { publicKey: EXOTIC } = generateKeyPairSync('ec', { namedCurve: 'secp256k1', ...spki, ...pkcs8 });
const ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

const FILES = {
  'a.pub': KEY,
  'b.pub': KEY,
  'weak.pub': WEAK,
  'exotic.pub': EXOTIC,
  'a.crt': CERTIFICATE,
  'a.key': PRIVATE_KEY,
  'root.json': ROOT,
  'tuf-root.json': '{"signed":{"_type":"root"}}',
};

const cosign = (keys: string) => `upstreams: { ghcr.io: {} }\nauthorities:\n  a: { type: cosign, ${keys} }\n`;
const KEYLESS = 'issuer: "https://i", identity: "https://github.com/acme/*"';
const EITHER = 'write key or keys for public keys, or issuer and identity for keyless signatures';
const IDENTITY =
  'the whole identity, such as https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const STAR = 'a * may stand after https://host/… or before @domain';
const TRUST_ROOT = 'public-good, the path of a trusted_root.json, or { tuf: https://…, root: ./root.json }';
const REPOSITORY = 'the name of an upstream and a repository';
const PUBLIC_KEY =
  'a readable PEM file with one public key: ECDSA P-256, P-384 or P-521, Ed25519, or RSA from 2048 bits';

type Row = readonly [keys: string, ...problems: string[]];

/** What is wrong with a cosign authority. Every path and what is said; the columns are the schema's own matter. */
const TABLE: readonly Row[] = [
  ['log: true', `authorities.a: either public keys, or an issuer with an identity, not neither; ${EITHER}`],
  [`key: a.pub, ${KEYLESS}`, `authorities.a: either public keys, or an issuer with an identity, not both; ${EITHER}`],
  ['key: a.pub, keys: [a.pub]', 'authorities.a.keys: key or keys, not both'],
  [
    'issuer: "https://i"',
    'authorities.a.identity: it beside the other, not nothing; without it anybody whom the issuer knows would do',
  ],
  [
    'identity: "a@b"',
    'authorities.a.issuer: it beside the other, not nothing; an identity means something only together with who vouched for it',
  ],
  [
    'issuer: "https://*", identity: a@b',
    'authorities.a.issuer: the issuer as a whole, not "https://*"; a pattern would let another issuer in',
  ],
  ['issuer: "", identity: a@b', 'authorities.a.issuer: the address of an OIDC issuer, whole, not ""'],
  ['issuer: "https://i", identity: ""', `authorities.a.identity: ${IDENTITY}, not ""`],
  ['issuer: "https://i", identity: "*"', `authorities.a.identity: ${IDENTITY}, not "*"; ${STAR}`],
  [
    'issuer: "https://i", identity: "https://*/acme/app"',
    `authorities.a.identity: ${IDENTITY}, not "https://*/acme/app"; ${STAR}`,
  ],
  [
    'issuer: "https://i", identity: "https://github.com*"',
    `authorities.a.identity: ${IDENTITY}, not "https://github.com*"; ${STAR}`,
  ],
  [
    'issuer: "https://i", identity: "https://github.com/*"',
    `authorities.a.identity: ${IDENTITY}, not "https://github.com/*"; ${STAR}`,
  ],
  ['issuer: "https://i", identity: "ci@*"', `authorities.a.identity: ${IDENTITY}, not "ci@*"; ${STAR}`],
  [
    `${KEYLESS}, threshold: 1`,
    'authorities.a.threshold: it only beside keys, not it beside an identity; for several identities, require several authorities',
  ],
  [
    `${KEYLESS}, timestamp: false`,
    'authorities.a.timestamp: it only beside keys, not it beside an identity; a keyless signature must always prove its time',
  ],
  ['keys: [a.pub, b.pub], threshold: 3', 'authorities.a.threshold: at most 2, as many as there are keys, not 3'],
  ['key: a.pub, threshold: 0', 'authorities.a.threshold: at least 1, not the number 0'],
  [
    'key: a.pub, certificateLog: true',
    'authorities.a.certificateLog: it only beside issuer and identity, not it beside a key',
  ],
  [
    'key: a.pub, certificate: { buildTrigger: push }',
    'authorities.a.certificate: it only beside issuer and identity, not it beside a key',
  ],
  [
    'key: a.pub, maxAge: 90d',
    'authorities.a.maxAge: log: true or timestamp: true beside it, not neither; else nothing proves when a key signed',
  ],
  ['key: a.pub, predicate: { a: b }', 'authorities.a.predicate: a predicateType beside it, not none'],
  [
    `${KEYLESS}, trustRoot: github`,
    `authorities.a.trustRoot: ${TRUST_ROOT}, not "github"; write { tuf: https://tuf-repo.github.com, root: ./github-root.json }, with the root.json that the gh command has in it, and log: false, certificateLog: false beside it; docs/configuration.md says where it is`,
  ],
  [`${KEYLESS}, trustRoot: publicgood`, `authorities.a.trustRoot: ${TRUST_ROOT}, not "publicgood"`],
  [`${KEYLESS}, trustRoot: 7`, `authorities.a.trustRoot: ${TRUST_ROOT}, not the number 7`],
  [
    `${KEYLESS}, trustRoot: "https://tuf.example"`,
    `authorities.a.trustRoot: ${TRUST_ROOT}, not "https://tuf.example"; a repository needs its root: { tuf: https://tuf.example, root: ./root.json }`,
  ],
  [
    `${KEYLESS}, trustRoot: { tuf: "https://tuf.example" }`,
    'authorities.a.trustRoot.root: the path of a root.json, not nothing',
  ],
  [
    `${KEYLESS}, trustRoot: { tuf: tuf.example, root: ./tuf-root.json, target: ../x, cert: a.crt }`,
    'authorities.a.trustRoot.tuf: an http:// or https:// address, not "tuf.example"; write the scheme too: https://…',
    'authorities.a.trustRoot.target: the name of a target, such as trusted_root.json, not "../x"',
    'authorities.a.trustRoot.cert: one of the keys tuf, root, target, ca, not "cert"',
  ],
  [
    `${KEYLESS}, trustRoot: { tuf: "https://tuf.example", root: ./root.json }`,
    'authorities.a.trustRoot.root: a readable root.json of a TUF repository, not JSON that is no root at "FOLDER/root.json"',
  ],
  [
    `${KEYLESS}, trustRoot: { tuf: "https://tuf.example", root: ./tuf-root.json, ca: a.key }`,
    'authorities.a.trustRoot.ca: a readable PEM file of certificates, not no certificate in it at "FOLDER/a.key"',
  ],
  [
    `${KEYLESS}, trustRoot: ./root.json, trustRootMaxAge: 10d`,
    'authorities.a.trustRootMaxAge: it only where the trusted root is kept fresh, not it beside a file; a file is as old as you let it become',
  ],
  [
    `${KEYLESS}, reference: "{tag}"`,
    'authorities.a.reference: only {registry} and {repository} between braces, not "{tag}"',
  ],
  [
    `${KEYLESS}, repository: signatures`,
    `authorities.a.repository: ${REPOSITORY}, not "signatures"; such as ghcr.io/acme/signatures`,
  ],
  [
    `${KEYLESS}, repository: quay.io/acme/signatures`,
    'authorities.a.repository: a repository of an upstream (ghcr.io), not "quay.io/acme/signatures"',
  ],
  ['key: missing.pub', `authorities.a.key: ${PUBLIC_KEY}, not no such file at "FOLDER/missing.pub"`],
  ['key: a.key', `authorities.a.key: ${PUBLIC_KEY}, not no public key in it at "FOLDER/a.key"`],
  ['keys: [a.pub, a.crt]', `authorities.a.keys[1]: ${PUBLIC_KEY}, not no public key in it at "FOLDER/a.crt"`],
  ['key: weak.pub', `authorities.a.key: ${PUBLIC_KEY}, not a key of kind rsa 1024 at "FOLDER/weak.pub"`],
  ['key: exotic.pub', `authorities.a.key: ${PUBLIC_KEY}, not a key of kind ec secp256k1 at "FOLDER/exotic.pub"`],
  [
    `${KEYLESS}, trustRoot: ./a.crt`,
    'authorities.a.trustRoot: a readable trusted_root.json of Sigstore, not no JSON in it at "FOLDER/a.crt"',
  ],
];

for (const [keys, ...expected] of TABLE) {
  test(`refused as cosign: ${keys}`, async (t) => {
    const problems = glance(await problemsOf(t, cosign(keys), FILES)).map((line) =>
      line
        .replace(/^\d+:\d+ /, '')
        .replace(/"[^"]*\/([^/"]+)"$/, (said, file) =>
          file in FILES || file === 'missing.pub' ? `"FOLDER/${file}"` : said,
        ),
    );
    assert.deepEqual(problems, expected);
  });
}

test('an unknown claim of the certificate is told which ones there are', async (t) => {
  const [problem] = await problemsOf(t, cosign(`${KEYLESS}, certificate: { sourceRepository: x }`), FILES);
  assert.match(problem?.expected ?? '', /buildSignerURI.*sourceRepositoryURI/);
});

test('keys are read as they stand, with nothing asked of logs', async (t) => {
  const folder = await folderWith(t, { ...FILES, 'docklock.yaml': cosign('keys: [a.pub, b.pub], threshold: 2') });
  const { authorities } = await readConfig(join(folder, 'docklock.yaml'));
  assert.deepEqual(authorities, [
    {
      kind: 'cosign',
      name: 'a',
      signer: {
        kind: 'keys',
        paths: [join(folder, 'a.pub'), join(folder, 'b.pub')],
        threshold: 2,
        log: false,
        timestamp: false,
      },
      trustRoot: { kind: 'public-good' },
      trustRootMaxAge: 90 * 24 * 3_600_000,
      predicate: {},
      annotations: {},
      attestationManifests: false,
      recheck: 3_600_000,
    },
  ]);
});

test('an identity asks for logs unless told otherwise, and the rest is taken over', async (t) => {
  const more =
    'trustRoot: ./root.json, certificateLog: false, certificate: { buildTrigger: push }, predicateType: "https://p", ' +
    'predicate: { builder.id: "https://b/*" }, annotations: { env: prod }, reference: "{registry}/{repository}", ' +
    'maxAge: 90d, repository: "ghcr.io/acme/{repository}", attestationManifests: true, recheck: 5m';
  const { authorities } = await read(t, cosign(`${KEYLESS}, ${more}`), FILES);
  const [authority] = authorities;
  assert.ok(authority?.kind === 'cosign' && authority.trustRoot.kind === 'file');
  assert.deepEqual(
    { ...authority, trustRoot: 'file' },
    {
      kind: 'cosign',
      name: 'a',
      signer: {
        kind: 'certificate',
        issuer: 'https://i',
        identity: 'https://github.com/acme/*',
        claims: { buildTrigger: 'push' },
        log: true,
        certificateLog: false,
      },
      trustRoot: 'file',
      trustRootMaxAge: 90 * 24 * 3_600_000,
      predicateType: 'https://p',
      predicate: { 'builder.id': 'https://b/*' },
      annotations: { env: 'prod' },
      reference: '{registry}/{repository}',
      maxAge: 90 * 24 * 3_600_000,
      repository: 'ghcr.io/acme/{repository}',
      attestationManifests: true,
      recheck: 300_000,
    },
  );
});

test('a rule that never goes back warns of keys whose signatures prove no time', async (t) => {
  const rule = 'policy: [{ images: "**", require: [a], freshness: { noRollback: true } }]';
  const warningsOf = async (keys: string) => (await read(t, cosign(keys) + rule, FILES)).warnings;
  assert.deepEqual(await warningsOf('key: a.pub'), [
    'policy[0]: noRollback, but signatures of a prove no time; give it log: true or timestamp: true',
  ]);
  assert.deepEqual(await warningsOf('key: a.pub, log: true'), []);
  assert.deepEqual(await warningsOf(KEYLESS), []);
});

test('a trusted root that TUF keeps fresh, with all that can be said of it and with the least', async (t) => {
  const rootOf = async (trustRoot: string) => {
    const { authorities } = await read(t, cosign(`${KEYLESS}, ${trustRoot}`), FILES);
    const [authority] = authorities;
    assert.ok(authority?.kind === 'cosign' && authority.trustRoot.kind === 'tuf');
    const { root, ca, ...rest } = authority.trustRoot;
    return { ...rest, root: basename(root), ca: ca && basename(ca), maxAge: authority.trustRootMaxAge };
  };
  assert.deepEqual(await rootOf('trustRoot: { tuf: "https://tuf.example/sigstore/", root: ./tuf-root.json }'), {
    kind: 'tuf',
    mirror: 'https://tuf.example/sigstore',
    root: 'tuf-root.json',
    target: 'trusted_root.json',
    ca: undefined,
    maxAge: 90 * 24 * 3_600_000,
  });
  const all =
    '{ tuf: "http://tuf.example", root: ./tuf-root.json, target: acme.ghe.com.trusted_root.json, ca: ./a.crt }';
  assert.deepEqual(await rootOf(`trustRoot: ${all}, trustRootMaxAge: 7d`), {
    kind: 'tuf',
    mirror: 'http://tuf.example',
    root: 'tuf-root.json',
    target: 'acme.ghe.com.trusted_root.json',
    ca: 'a.crt',
    maxAge: 7 * 24 * 3_600_000,
  });
});

test('one trusted root of one repository begins with one root.json', async (t) => {
  const pin = (name: string, root: string, more = '') =>
    `  ${name}: { type: cosign, ${KEYLESS}, trustRoot: { tuf: "https://tuf.example/", root: ${root}${more} } }\n`;
  const yaml = (second: string) => `authorities:\n${pin('a', './tuf-root.json')}${second}`;
  const files = { ...FILES, 'other.json': FILES['tuf-root.json'] };
  const [problem] = glance(await problemsOf(t, yaml(pin('b', './other.json')), files));
  assert.match(
    problem ?? '',
    /authorities\.b\.trustRoot\.root: "\.\/tuf-root\.json", as a has for the same repository, not "\.\/other\.json"/,
  );
  await read(t, yaml(pin('b', './tuf-root.json')), files);
  await read(t, yaml(pin('b', './other.json', ', target: other.json')), files);
});
