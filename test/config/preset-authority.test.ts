import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { cosignPolicy } from '../../bin/cosign-policy.ts';
import { readConfig } from '../../config/read.ts';
import { PRESET_NAMES } from '../../config/preset-catalog.ts';
import { presetSchema, toPreset } from '../../config/schema/preset.ts';
import { folderWith, glance, problemsOf, read } from './config-folder.ts';
import { PUBLIC_KEY } from './pem.ts';

const { publicKey: OTHER } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const FILES = { 'a.pub': PUBLIC_KEY, 'b.pub': OTHER };

const authority = (keys: string) => `upstreams: { ghcr.io: {} }\nauthorities:\n  a: { ${keys} }\n`;

const NAME = `the name of a preset (${PRESET_NAMES.join(', ')})`;
const OTHER_KIND = 'for another kind of signer write type: cosign without preset';
const DHI_KEY = '118ba556dd52f4aec67018efd316c285c783cd3e54cc0f4927605715c643887c';
const PEM =
  `a readable PEM file with the public key of the preset docker-hardened-images, SHA-256 ${DHI_KEY}, not GOT; ` +
  'download https://dhi.io/keyring/latest.pub again; should the publisher have announced a new key, write type: cosign with it, without preset';

/** What is wrong with a preset, or with what is to be otherwise. */
const TABLE: readonly [keys: string, ...problems: string[]][] = [
  ['preset: kubernets', `authorities.a.preset: ${NAME}, not "kubernets"; did you mean kubernetes?`],
  ['preset: bitnami', `authorities.a.preset: ${NAME}, not "bitnami"`],
  ['preset: 1', `authorities.a.preset: ${NAME}, not the number 1; put it in quotes`],
  ['preset: ', `authorities.a.preset: ${NAME}, not an empty value`],
  ['type: preset', `authorities.a.preset: ${NAME}, not nothing`],
  [
    'preset: kubernetes, idenity: a@b',
    'authorities.a.idenity: one of the keys type, preset, owner, repo, key, keys, threshold, issuer, identity, certificate, trustRoot, trustRootMaxAge, log, ' +
      'certificateLog, timestamp, predicateType, predicate, annotations, reference, maxAge, repository, attestationManifests, recheck, ' +
      'not "idenity"; did you mean identity?',
  ],
  [
    'preset: kubernetes, identity: "*"',
    'authorities.a.identity: the whole identity, such as https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main, not "*"; a * may stand after https://host/… or before @domain',
  ],
  [
    'preset: kubernetes, threshold: 1',
    'authorities.a.threshold: it only beside keys, not it beside an identity; for several identities, require several authorities',
  ],
  [
    'preset: kubernetes, maxAge: 1',
    'authorities.a.maxAge: a duration from 1m to 3650d, such as 500ms, 10s, 15m, 24h or 7d, not the number 1; write the unit too',
  ],
  [
    'preset: kubernetes, key: a.pub',
    `authorities.a.key: issuer and identity, as kubernetes is verified by, not key beside preset: kubernetes; ${OTHER_KIND}`,
  ],
  [
    'preset: github, owner: acme, keys: [a.pub]',
    `authorities.a.keys: issuer and identity, as github is verified by, not keys beside preset: github; ${OTHER_KIND}`,
  ],
  [
    'preset: red-hat, issuer: "https://i"',
    `authorities.a.issuer: a key, as red-hat is verified by, not issuer beside preset: red-hat; ${OTHER_KIND}`,
  ],
  [
    'preset: red-hat, certificateLog: true',
    'authorities.a.certificateLog: it only beside issuer and identity, not it beside a key',
  ],
  [
    'preset: red-hat, maxAge: 90d',
    'authorities.a.maxAge: log: true or timestamp: true beside it, not neither; else nothing proves when a key signed',
  ],
  ['preset: red-hat, key: a.pub, keys: [a.pub]', 'authorities.a.keys: key or keys, not both'],
  [
    'preset: kubernetes, owner: acme, repo: app',
    'authorities.a.owner: it only beside preset: github, not it beside preset: kubernetes',
    'authorities.a.repo: it only beside preset: github, not it beside preset: kubernetes',
  ],
  [
    'preset: github',
    'authorities.a.owner: a user or organization of GitHub, such as acme, not nothing; whose attestations are to count is for you to say',
  ],
  [
    'preset: github, owner: acme/app',
    'authorities.a.owner: a user or organization of GitHub, such as acme, not "acme/app"',
  ],
  ['preset: github, owner: "*"', 'authorities.a.owner: a user or organization of GitHub, such as acme, not "*"'],
  [
    'preset: github, owner: acme, repo: ".."',
    'authorities.a.repo: the name of a repository without its owner, such as app, not ".."',
  ],
  [
    'preset: github, owner: acme, repo: "a*"',
    'authorities.a.repo: the name of a repository without its owner, such as app, not "a*"',
  ],
  [
    'preset: docker-hardened-images',
    "authorities.a.key: the path of the publisher's public key, not nothing; download https://dhi.io/keyring/latest.pub; docklock presets docker-hardened-images says more",
  ],
  [
    'preset: istio',
    "authorities.a.key: the path of the publisher's public key, not nothing; download https://istio.io/misc/istio-key.pub or https://istio.io/misc/istio-key-v2.pub; docklock presets istio says more",
  ],
  [
    'preset: docker-hardened-images, key: a.pub',
    `authorities.a.key: ${PEM.replace('GOT', 'the key 4b3a at "FOLDER/a.pub"')}`,
  ],
  [
    'preset: docker-hardened-images, keys: [missing.pub]',
    `authorities.a.keys[0]: ${PEM.replace('GOT', 'no such file at "FOLDER/missing.pub"')}`,
  ],
  [
    'preset: flux, repository: quay.io/acme/signatures',
    'authorities.a.repository: a repository of an upstream (ghcr.io), not "quay.io/acme/signatures"',
  ],
];

for (const [keys, ...expected] of TABLE) {
  test(`refused as a preset: ${keys}`, async (t) => {
    const problems = glance(await problemsOf(t, authority(keys), FILES)).map((line) =>
      line
        .replace(/^\d+:\d+ /, '')
        .replace(/"[^"]*\/([^/"]+\.pub)"/, '"FOLDER/$1"')
        .replace(/the key [0-9a-f]{64}/, 'the key 4b3a'),
    );
    assert.deepEqual(problems, expected);
  });
}

test('a preset beside a type is told to stand alone', async (t) => {
  const problems = await problemsOf(t, authority('type: cosign, preset: kubernetes'));
  const problem = problems.find(({ path }) => path === 'authorities.a.preset');
  assert.match(problem?.hint ?? '', /a preset has no type/);
});

const DEFAULTS = {
  kind: 'cosign',
  name: 'a',
  trustRoot: { kind: 'public-good' },
  trustRootMaxAge: 90 * 24 * 3_600_000,
  predicate: {},
  annotations: {},
  attestationManifests: false,
  recheck: 3_600_000,
};

async function one(t: import('node:test').TestContext, keys: string) {
  const folder = await folderWith(t, { ...FILES, 'docklock.yaml': authority(keys), 'root.json': ROOT });
  const [found] = (await readConfig(join(folder, 'docklock.yaml'))).authorities;
  assert.ok(found?.kind === 'cosign');
  return { ...found, folder };
}

const ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

test('a preset is a whole cosign authority, everything logged, with the default trusted root', async (t) => {
  const { authorities } = await read(t, authority('preset: kubernetes'));
  assert.deepEqual(authorities, [
    {
      ...DEFAULTS,
      preset: { name: 'kubernetes', version: 1, images: ['registry.k8s.io/**'] },
      signer: {
        kind: 'certificate',
        issuer: 'https://accounts.google.com',
        identity: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
        claims: {},
        log: true,
        certificateLog: true,
      },
    },
  ]);
});

test('each field of a preset can be otherwise', async (t) => {
  const { folder, ...found } = await one(
    t,
    'preset: kubernetes, issuer: "https://i", identity: "x@y", trustRoot: ./root.json, maxAge: 90d, log: false, ' +
      'certificateLog: false, certificate: { buildTrigger: push }, annotations: { a: b }, recheck: 5m, repository: "ghcr.io/a/b"',
  );
  assert.deepEqual(found, {
    ...DEFAULTS,
    preset: { name: 'kubernetes', version: 1, images: ['registry.k8s.io/**'] },
    signer: {
      kind: 'certificate',
      issuer: 'https://i',
      identity: 'x@y',
      claims: { buildTrigger: 'push' },
      log: false,
      certificateLog: false,
    },
    trustRoot: { kind: 'file', path: join(folder, 'root.json') },
    maxAge: 90 * 24 * 3_600_000,
    annotations: { a: 'b' },
    recheck: 300_000,
    repository: 'ghcr.io/a/b',
  });
});

test('github asks for provenance by the owner, of the owner; a further claim is added, never put in its place', async (t) => {
  const { signer, predicateType, preset } = await one(
    t,
    'preset: github, owner: Acme, certificate: { runnerEnvironment: github-hosted }',
  );
  assert.ok(signer.kind === 'certificate');
  assert.equal(signer.issuer, 'https://token.actions.githubusercontent.com');
  assert.equal(signer.identity, 'https://github.com/Acme/*');
  assert.deepEqual(signer.claims, {
    sourceRepositoryOwnerURI: 'https://github.com/Acme',
    runnerEnvironment: 'github-hosted',
  });
  assert.equal(predicateType, 'https://slsa.dev/provenance/v1');
  assert.deepEqual(preset?.images, ['ghcr.io/acme/**']);
});

test('github with a repository asks for that one', async (t) => {
  const { signer } = await one(t, 'preset: github, owner: acme, repo: app');
  assert.ok(signer.kind === 'certificate');
  assert.equal(signer.identity, 'https://github.com/acme/app/*');
  assert.deepEqual(signer.claims, { sourceRepositoryURI: 'https://github.com/acme/app' });
});

test('red-hat brings its key along, and asks nothing of logs', async (t) => {
  const { folder: _, ...found } = await one(t, 'preset: red-hat');
  const policy = await cosignPolicy(found);
  assert.ok(policy.signer.kind === 'keys');
  assert.deepEqual(
    policy.signer.keys.map(({ id }) => id),
    ['ba9d26350d78893a20f337e2153a113108bfcf064085afaee60d446e63405576'],
  );
  assert.deepEqual([policy.signer.threshold, policy.signer.log, policy.signer.timestamp], [1, false, false]);
});

test('a key in the configuration takes the place of the one that the preset brings', async (t) => {
  const { folder, signer } = await one(t, 'preset: red-hat, key: a.pub');
  assert.deepEqual(signer, {
    kind: 'keys',
    paths: [join(folder, 'a.pub')],
    threshold: 1,
    log: false,
    timestamp: false,
  });
});

test('istio takes any keys, one of which must have signed', async (t) => {
  const { folder, signer } = await one(t, 'preset: istio, keys: [a.pub, b.pub]');
  const paths = [join(folder, 'a.pub'), join(folder, 'b.pub')];
  assert.deepEqual(signer, { kind: 'keys', paths, threshold: 1, log: false, timestamp: false });
});

test('the pin of docker-hardened-images goes along with the path of its key, to where the key is used', () => {
  const written = presetSchema.parse({ type: 'preset', preset: 'docker-hardened-images', key: './dhi-2.pub' });
  const { signer } = toPreset('a', written, (path) => join('/folder', path));
  assert.deepEqual(signer, {
    kind: 'keys',
    paths: ['/folder/dhi-2.pub'],
    sha256: DHI_KEY,
    threshold: 1,
    log: false,
    timestamp: false,
  });
});

test('a pinned key that was exchanged after the configuration was checked is not used', async (t) => {
  const { folder: _, ...found } = await one(t, 'preset: istio, key: a.pub');
  assert.ok(found.signer.kind === 'keys');
  const pinned = { ...found, signer: { ...found.signer, sha256: DHI_KEY } };
  await assert.rejects(cosignPolicy(pinned), {
    name: 'RangeError',
    message: new RegExp(`expected the key ${DHI_KEY}, got`),
  });
});

test('a rule that requires a preset for other images than it is meant for is warned of', async (t) => {
  const rules = `policy:
  - { images: ghcr.io/fluxcd/source-controller, require: [a] }
  - { images: [ghcr.io/fluxcd/*, ghcr.io/**], require: { any: [a] } }
  - { images: "ghcr.io/fluxcd-evil/**", require: [a] }`;
  const meant =
    'authorities.a: preset flux is meant for ghcr.io/fluxcd/**, docker.io/fluxcd/*, and a rule requires it for';
  assert.deepEqual((await read(t, authority('preset: flux') + rules)).warnings, [
    `${meant} ghcr.io/**`,
    `${meant} ghcr.io/fluxcd-evil/**`,
  ]);
});

test('github is meant for the images of its owner', async (t) => {
  const rules = 'policy: [{ images: [ghcr.io/acme/**, ghcr.io/other/**], require: [a] }]';
  assert.deepEqual((await read(t, authority('preset: github, owner: Acme') + rules)).warnings, [
    'authorities.a: preset github is meant for ghcr.io/acme/**, and a rule requires it for ghcr.io/other/**',
  ]);
});
