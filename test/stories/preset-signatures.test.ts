import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cosignPolicy } from '../../bin/cosign-policy.ts';
import { PRESETS } from '../../config/preset-catalog.ts';
import { about, cosignAuthority } from '../support/cosign-authority.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { bundleImage, legacyImage, signatureTag } from '../support/signature-images.ts';
import { attestation, imageStatement, simpleSigning } from '../support/image-statement.ts';
import { ecKey, pemText } from '../support/key-pair.ts';
import { type SignOptions, SigstorePublisher } from '../support/sigstore-publisher.ts';
import { read } from '../config/config-folder.ts';

const publisher = await SigstorePublisher.create();
const app = image({ layers: ['the app'] });
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const SOURCE = 12;
const OWNER = 16;

/** `vouched`, or the reason, of an image that carries this one signature, under a configuration as it is written. */
async function judged(t: TestContext, written: string, bundle: object): Promise<string> {
  const registry = await FakeRegistry.start(t);
  registry.push('app', app, '1');
  registry.push('app', bundleImage(bundle, app));
  return verdict(t, written, registry);
}

async function verdict(t: TestContext, written: string, registry: FakeRegistry, files = {}): Promise<string> {
  const [config] = (await read(t, `authorities: { a: { ${written} } }`, files)).authorities;
  assert.ok(config?.kind === 'cosign');
  const authority = cosignAuthority(t, registry, publisher, await cosignPolicy(config));
  const finding = await authority.judge(about(app.digest, publisher.now));
  return finding.outcome === 'vouched' ? 'vouched' : finding.reason;
}

/** A service account's identity is an address, a workflow's is a URI. */
const kinded = (options: SignOptions): SignOptions => ({ email: !options.identity?.includes('://'), ...options });
const signed = (options: SignOptions) => publisher.statement(imageStatement(app.digest), kinded(options));

/** An identity that the pattern of a preset means, and what resembles it without being it. */
interface Likeness {
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

const CILIUM = 'https://github.com/cilium/cilium/.github/workflows/build-images-releases.yaml@refs';

/** For those with a pattern; an identity without one is its own. */
const PATTERNS: Readonly<Record<string, Likeness>> = {
  flux: {
    right: [
      'https://github.com/fluxcd/source-controller/.github/workflows/release.yml@refs/tags/v1.6.0',
      'https://github.com/fluxcd/flux2/.github/workflows/release.yaml@refs/heads/main',
    ],
    wrong: [
      'https://github.com/fluxcd',
      'https://github.com/fluxcd-evil/flux2/.github/workflows/release.yaml@refs/heads/main',
      'https://github.com/evil/fluxcd/.github/workflows/release.yaml@refs/heads/main',
      'https://github.com.evil.example/fluxcd/flux2/.github/workflows/release.yaml@refs/heads/main',
      'https://evil.example/https://github.com/fluxcd/flux2',
      'http://github.com/fluxcd/flux2/.github/workflows/release.yaml@refs/heads/main',
      'https://github.com/Fluxcd/flux2/.github/workflows/release.yaml@refs/heads/main',
    ],
  },
  cilium: {
    right: [`${CILIUM}/tags/v1.18.0`, `${CILIUM}/tags/v1.19.0-rc.1`],
    wrong: [
      `${CILIUM}/heads/main`,
      `${CILIUM}/heads/refs/tags/v1.18.0`,
      `${CILIUM}/pull/1/merge`,
      `x${CILIUM}/tags/v1.18.0`,
      `https://evil.example/${CILIUM}/tags/v1.18.0`,
      `${CILIUM.replace('cilium/cilium', 'evil/cilium')}/tags/v1.18.0`,
      `${CILIUM.replace('cilium/cilium', 'cilium/other')}/tags/v1.18.0`,
      `${CILIUM.replace('build-images-releases', 'build-images-ci')}/tags/v1.18.0`,
      `${CILIUM.replace('.yaml', 'Xyaml')}/tags/v1.18.0`,
    ],
  },
};

function likeness(name: string, identity: string): Likeness {
  const pattern = PATTERNS[name];
  if (pattern !== undefined) return pattern;
  const other = identity.includes('://') ? `https://evil.example/${identity}` : `https://evil.example/?of=${identity}`;
  const dotted = identity.replace(/\.(?=[a-z]+$|com)/, 'x');
  return {
    right: [identity],
    wrong: [
      `x${identity}`,
      `${identity}x`,
      identity.slice(0, -1),
      identity.slice(1),
      other,
      dotted,
      `${identity}.evil.example`,
    ],
  };
}

for (const { name, verifies } of PRESETS) {
  if (verifies.kind !== 'identity') continue;
  const { issuer, identity } = verifies;
  const { right, wrong } = likeness(name, identity);

  test(`${name} takes what its publisher signed`, async (t) => {
    for (const exact of right) {
      assert.equal(await judged(t, `preset: ${name}`, await signed({ identity: exact, issuer })), 'vouched', exact);
    }
  });

  test(`${name} takes no identity that only resembles its publisher's`, async (t) => {
    assert.equal(new Set(wrong).size, wrong.length);
    for (const near of wrong) {
      assert.ok(!right.includes(near));
      const reason = await judged(t, `preset: ${name}`, await signed({ identity: near, issuer }));
      assert.equal(reason, 'IDENTITY_MISMATCH', near);
    }
  });

  test(`${name} takes its identity from no other issuer`, async (t) => {
    for (const other of [
      `${issuer}.evil.example`,
      `${issuer}/`,
      issuer.slice(0, -1),
      'https://accounts.google.com/x',
    ]) {
      const reason = await judged(t, `preset: ${name}`, await signed({ identity: right[0] ?? '', issuer: other }));
      assert.equal(reason, 'IDENTITY_MISMATCH', other);
    }
  });

  test(`${name} takes no attestation for a signature, and nothing unlogged`, async (t) => {
    const options = { identity: right[0] ?? '', issuer };
    const statement = attestation(app.digest, 'https://cosign.sigstore.dev/attestation/vuln/v1');
    const report = await publisher.statement(statement, kinded(options));
    assert.equal(await judged(t, `preset: ${name}`, report), 'SUBJECT_MISMATCH');
    const unlogged = await signed({ ...options, log: 'none', timestamp: true });
    assert.equal(await judged(t, `preset: ${name}`, unlogged), 'SIGNATURE_UNLOGGED');
  });
}

test("an address is no address for being a URI's text", async (t) => {
  const bundle = await signed({
    identity: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
    issuer: 'https://accounts.google.com',
    email: false,
  });
  assert.equal(await judged(t, 'preset: kubernetes', bundle), 'IDENTITY_MISMATCH');
});

const ISSUER = 'https://token.actions.githubusercontent.com';
const workflow = (repository: string) =>
  `https://github.com/${repository}/.github/workflows/release.yml@refs/heads/main`;

/** GitHub: who signed, and whose repository was built, by the last number of the claim. */
const GITHUB: readonly [told: string, written: string, options: SignOptions, outcome: string][] = [
  [
    'of the owner',
    'owner: acme',
    { identity: workflow('acme/app'), claims: { [OWNER]: 'https://github.com/acme' } },
    'vouched',
  ],
  [
    'of the repository',
    'owner: acme, repo: app',
    { identity: workflow('acme/app'), claims: { [SOURCE]: 'https://github.com/acme/app' } },
    'vouched',
  ],
  [
    'of another owner, as long as ours',
    'owner: acme',
    { identity: workflow('acme-evil/app'), claims: { [OWNER]: 'https://github.com/acme-evil' } },
    'IDENTITY_MISMATCH',
  ],
  [
    "of another owner, whose repository has the owner's name",
    'owner: acme',
    { identity: workflow('evil/acme'), claims: { [OWNER]: 'https://github.com/evil' } },
    'IDENTITY_MISMATCH',
  ],
  [
    "by our workflow, built from another's repository",
    'owner: acme',
    { identity: workflow('acme/app'), claims: { [OWNER]: 'https://github.com/evil' } },
    'IDENTITY_MISMATCH',
  ],
  [
    "by another's workflow, built from our repository",
    'owner: acme',
    { identity: workflow('evil/app'), claims: { [OWNER]: 'https://github.com/acme' } },
    'IDENTITY_MISMATCH',
  ],
  [
    "by a workflow whose owner's name only begins like ours, built from our repository",
    'owner: acme',
    { identity: workflow('acme-evil/app'), claims: { [OWNER]: 'https://github.com/acme' } },
    'IDENTITY_MISMATCH',
  ],
  [
    'by a workflow of a repository whose name only begins like ours, built from ours',
    'owner: acme, repo: app',
    { identity: workflow('acme/app-evil'), claims: { [SOURCE]: 'https://github.com/acme/app' } },
    'IDENTITY_MISMATCH',
  ],
  ['that says no owner', 'owner: acme', { identity: workflow('acme/app') }, 'IDENTITY_MISMATCH'],
  [
    'of another repository of the owner',
    'owner: acme, repo: app',
    { identity: workflow('acme/app2'), claims: { [SOURCE]: 'https://github.com/acme/app2' } },
    'IDENTITY_MISMATCH',
  ],
  [
    'from another issuer',
    'owner: acme',
    {
      identity: workflow('acme/app'),
      issuer: 'https://ghe.evil.example',
      claims: { [OWNER]: 'https://github.com/acme' },
    },
    'IDENTITY_MISMATCH',
  ],
];

for (const [told, written, options, outcome] of GITHUB) {
  test(`github: provenance ${told}: ${outcome}`, async (t) => {
    const statement = attestation(app.digest, PROVENANCE);
    const bundle = await publisher.statement(statement, { issuer: ISSUER, ...options });
    assert.equal(await judged(t, `preset: github, ${written}`, bundle), outcome);
  });
}

test('github: an attestation of another kind, or a signature, is no provenance', async (t) => {
  const options = { issuer: ISSUER, identity: workflow('acme/app'), claims: { [OWNER]: 'https://github.com/acme' } };
  const other = attestation(app.digest, 'https://slsa.dev/provenance/v0.2');
  for (const statement of [other, imageStatement(app.digest)]) {
    const bundle = await publisher.statement(statement, options);
    assert.equal(await judged(t, 'preset: github, owner: acme', bundle), 'ATTESTATION_MISSING');
  }
});

const [release, release2, stranger] = [ecKey(), ecKey(), ecKey()];

/** Publishers with keys: the key given, whose signature the image carries, and what comes of it. */
const KEYS: readonly [told: string, written: string, key: typeof release, outcome: string][] = [
  ['the first key', 'preset: istio, keys: [a.pub, b.pub]', release, 'vouched'],
  ['the second key', 'preset: istio, keys: [a.pub, b.pub]', release2, 'vouched'],
  ["a stranger's key", 'preset: istio, keys: [a.pub, b.pub]', stranger, 'KEY_NOT_TRUSTED'],
  ['a key put in the place of the one brought along', 'preset: red-hat, key: a.pub', release, 'vouched'],
  ["a stranger's key", 'preset: red-hat, key: a.pub', stranger, 'KEY_NOT_TRUSTED'],
  ["a stranger's key", 'preset: red-hat', stranger, 'KEY_NOT_TRUSTED'],
];

for (const [told, written, key, outcome] of KEYS) {
  test(`{ ${written} } with a signature by ${told}: ${outcome}`, async (t) => {
    const registry = await FakeRegistry.start(t);
    registry.push('app', app, '1');
    const layer = await publisher.legacy(simpleSigning(app.digest), { key, log: 'none' });
    registry.push('app', legacyImage(layer), signatureTag(app, '.sig'));
    const files = { 'a.pub': pemText(release.publicKey), 'b.pub': pemText(release2.publicKey) };
    assert.equal(await verdict(t, written, registry, files), outcome);
  });
}
