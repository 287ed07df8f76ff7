import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryImage } from '../../../bin/demo/memory-image.ts';
import type { Finding } from '../../../trust/authority.ts';
import type { EvidenceStep } from '../../../trust/evidence.ts';
import { about, cosignAuthority } from '../../support/cosign-authority.ts';
import { FakeRegistry, image } from '../../support/fake-registry.ts';
import {
  annotatedIndex,
  artifactImage,
  bundleImage,
  legacyImage,
  SIGNATURE_TYPE,
  signatureTag,
} from '../../support/signature-images.ts';
import { attestation, imageStatement, simpleSigning } from '../../support/image-statement.ts';
import { ecKey } from '../../support/key-pair.ts';
import { IDENTITY, ISSUER, SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { keyed, keyless } from './cases.ts';

const publisher = await SigstorePublisher.create();
const app = image({ layers: ['the app'] });
const key = ecKey();
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const NO_API = { status: 404 };

/** How each form is pushed beside the image, the policy it is for, and what evidence calls it. */
const FORMS: readonly [
  form: string,
  push: (registry: FakeRegistry) => Promise<void>,
  policy: ReturnType<typeof keyless>,
][] = [
  [
    'bundle',
    async (registry) => registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app)),
    keyless(),
  ],
  [
    'bundle (fallback tag)',
    async (registry) => {
      registry.spoil({ kind: 'referrers' }, NO_API);
      const bundle = bundleImage(await publisher.statement(imageStatement(app.digest)), app);
      registry.push('app', annotatedIndex([{ image: bundle }]), signatureTag(app));
    },
    keyless(),
  ],
  [
    'signature referrer',
    async (registry) => {
      const layer = await publisher.legacy(simpleSigning(app.digest), { key });
      registry.push('app', artifactImage([layer], SIGNATURE_TYPE, app));
    },
    keyed([key], { log: true }),
  ],
  [
    'signature tag',
    async (registry) => {
      const layer = await publisher.legacy(simpleSigning(app.digest), { timestamp: true });
      registry.push('app', legacyImage(layer), signatureTag(app, '.sig'));
    },
    keyless(),
  ],
  [
    'attestation tag',
    async (registry) => {
      const layer = await publisher.legacyAttestation(attestation(app.digest, PROVENANCE));
      registry.push('app', legacyImage(layer), signatureTag(app, '.att'));
    },
    keyless({}, { content: { predicateType: PROVENANCE } }),
  ],
  [
    'bundle',
    async (registry) => {
      const bundle = await publisher.statement(attestation(app.digest, PROVENANCE), { key, log: 'none' });
      registry.push('app', bundleImage(bundle, app));
    },
    keyed([key], {}, { content: { predicateType: PROVENANCE } }),
  ],
];

for (const [form, push, policy] of FORMS) {
  const { signer, content } = policy;
  test(`a ${form} is found and vouches, ${signer.kind}, ${content.predicateType ?? 'signature'}`, async (t) => {
    const registry = await start(t);
    await push(registry);
    const finding = await judge(t, registry, policy);
    assert.equal(finding.outcome, 'vouched', told(finding));
    assert.equal(finding.digest, app.digest);
    assert.equal(stepOf(finding).facts?.form, form);
  });
}

test('the evidence names signer, issuer, time, log entry, source and trusted root', async (t) => {
  const registry = await start(t);
  const claims = { 12: 'https://github.com/acme/app', 13: 'c0ffee' };
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest), { claims }), app));
  const finding = await judge(t, registry, keyless());
  const { logIndex, logId, trustedRoot, manifest, ...facts } = stepOf(finding).facts ?? {};
  assert.match(String(logIndex), /^\d+$/);
  assert.match(String(logId), /^[0-9a-f]{64}$/);
  assert.match(String(trustedRoot), /^[0-9a-f]{64}$/);
  assert.match(String(manifest), /^sha256:/);
  assert.deepEqual(facts, {
    form: 'bundle',
    identity: IDENTITY,
    issuer: ISSUER,
    sourceRepositoryURI: 'https://github.com/acme/app',
    sourceRepositoryDigest: 'c0ffee',
    signedAt: publisher.signedAt.toISOString(),
  });
  assert.ok(finding.outcome === 'vouched');
  assert.deepEqual(finding.signedAt, publisher.signedAt);
});

test('of a key the evidence has the key id', async (t) => {
  const registry = await start(t);
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest), { key, log: 'none' }), app));
  const policy = keyed([key]);
  const finding = await judge(t, registry, policy);
  assert.ok(policy.signer.kind === 'keys');
  assert.equal(stepOf(finding).facts?.keyId, policy.signer.keys[0]?.id);
});

test('nothing found is said as what was looked for', async (t) => {
  const registry = await start(t);
  const unsigned = await judge(t, registry, keyless());
  assert.ok(unsigned.outcome === 'refused' && unsigned.reason === 'NOT_SIGNED', told(unsigned));
  const unattested = await judge(t, registry, keyless({}, { content: { predicateType: PROVENANCE } }));
  assert.ok(unattested.outcome === 'refused' && unattested.reason === 'ATTESTATION_MISSING', told(unattested));
});

test('a registry without referrers API, a throttled and a failing one are three things', async (t) => {
  const registry = await start(t);
  const bundle = bundleImage(await publisher.statement(imageStatement(app.digest)), app);
  registry.push('app', annotatedIndex([{ image: bundle }]), signatureTag(app));
  const stop = registry.spoil({ kind: 'referrers' }, { status: 429, headers: { 'retry-after': '17' } });
  const throttled = await judge(t, registry, keyless());
  assert.ok(throttled.outcome === 'undetermined', told(throttled));
  assert.deepEqual([throttled.reason, throttled.retryAfter], ['TRUST_UNREACHABLE', 17]);
  stop();
  for (const fault of [
    { status: 500 },
    { status: 401 },
    { status: 403 },
    { reset: true },
    { status: 200, body: '{"mani' },
  ]) {
    const end = registry.spoil({ kind: 'referrers' }, fault);
    const failing = await judge(t, registry, keyless());
    assert.notEqual(failing.outcome, 'vouched', JSON.stringify(fault));
    if (fault.status !== 200) assert.equal(failing.outcome, 'undetermined', JSON.stringify(fault));
    end();
  }
  registry.spoil({ kind: 'referrers' }, NO_API);
  const absent = await judge(t, registry, keyless());
  assert.equal(absent.outcome, 'vouched', told(absent));
});

test('a proof is a proof, whatever else cannot be looked at', async (t) => {
  const registry = await start(t);
  const layer = await publisher.legacy(simpleSigning(app.digest));
  registry.push('app', legacyImage(layer), signatureTag(app, '.sig'));
  registry.spoil({ kind: 'referrers' }, { status: 503 });
  assert.equal((await judge(t, registry, keyless())).outcome, 'vouched');
  // And without one, what could not be looked at might have been it.
  registry.untag('app', signatureTag(app, '.sig'));
  assert.equal((await judge(t, registry, keyless())).outcome, 'undetermined');
});

test('signatures are found in a repository of their own, and only there', async (t) => {
  const registry = await start(t);
  const layer = await publisher.legacy(simpleSigning(app.digest));
  registry.push('signatures/app', legacyImage(layer), signatureTag(app, '.sig'));
  assert.equal((await judge(t, registry, keyless())).outcome, 'refused');
  const there = await judge(t, registry, keyless(), { signatures: '{registry}/signatures/{repository}' });
  assert.equal(there.outcome, 'vouched', told(there));
  const nowhere = await judge(t, registry, keyless(), { signatures: 'elsewhere/signatures' });
  assert.ok(nowhere.outcome === 'undetermined', told(nowhere));
});

test('a bundle that is attached to an image it is not for changes nothing', async (t) => {
  const registry = await start(t);
  const other = image({ layers: ['another app'] });
  registry.push('app', bundleImage(await publisher.statement(imageStatement(other.digest)), app));
  const finding = await judge(t, registry, keyless());
  assert.ok(finding.outcome === 'refused' && finding.reason === 'SUBJECT_MISMATCH', told(finding));
});

test('a list of referrers that names a manifest of another image changes nothing', async (t) => {
  const registry = await start(t);
  registry.spoil({ kind: 'referrers' }, NO_API);
  const other = image({ layers: ['another app'] });
  const bundle = bundleImage(await publisher.statement(imageStatement(app.digest)), other);
  registry.push('app', annotatedIndex([{ image: bundle }]), signatureTag(app));
  const finding = await judge(t, registry, keyless());
  assert.ok(finding.outcome === 'refused' && finding.reason === 'SUBJECT_MISMATCH', told(finding));
});

test('attestations of other types, attached by the hundred, do not bury the signature', async (t) => {
  const registry = await start(t);
  registry.spoil({ kind: 'referrers' }, NO_API);
  const scan = bundleImage(
    await publisher.statement(attestation(app.digest, 'https://cosign.sigstore.dev/attestation/vuln/v1')),
    app,
  );
  const said = (type: string) => ({ 'dev.sigstore.bundle.predicateType': type });
  const scans = Array.from({ length: 300 }, () => ({
    image: scan,
    annotations: said('https://cosign.sigstore.dev/attestation/vuln/v1'),
  }));
  registry.push('app', annotatedIndex(scans), signatureTag(app));
  const without = await judge(t, registry, keyless());
  assert.ok(without.outcome === 'refused' && without.reason === 'SUBJECT_MISMATCH', told(without));
  assert.match(without.message, /^300 attestations such as "https:\/\/cosign/);
  const unattested = await judge(t, registry, keyless({}, { content: { predicateType: PROVENANCE } }));
  assert.ok(unattested.outcome === 'refused' && unattested.reason === 'ATTESTATION_MISSING', told(unattested));
  assert.equal(registry.count('blob'), 0);
  const signature = bundleImage(await publisher.statement(imageStatement(app.digest)), app);
  const last = { image: signature, annotations: said('https://sigstore.dev/cosign/sign/v1') };
  registry.push('app', annotatedIndex([...scans, last]), signatureTag(app));
  const finding = await judge(t, registry, keyless());
  assert.equal(finding.outcome, 'vouched', told(finding));
});

test('a hint that lies about what is in a bundle lets nothing pass', async (t) => {
  const registry = await start(t);
  registry.spoil({ kind: 'referrers' }, NO_API);
  const scan = bundleImage(await publisher.statement(attestation(app.digest, PROVENANCE)), app);
  const annotations = { 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' };
  registry.push('app', annotatedIndex([{ image: scan, annotations }]), signatureTag(app));
  const finding = await judge(t, registry, keyless());
  assert.ok(finding.outcome === 'refused' && finding.reason === 'SUBJECT_MISMATCH', told(finding));
});

test('two of three keys are two different keys', async (t) => {
  const registry = await start(t);
  const [first, second, third] = [ecKey(), ecKey(), ecKey()];
  const policy = keyed([first, second, third], { threshold: 2 });
  const sign = async (by: typeof first) => {
    registry.push(
      'app',
      bundleImage(await publisher.statement(imageStatement(app.digest), { key: by, log: 'none' }), app),
    );
  };
  await sign(first);
  await sign(first);
  const one = await judge(t, registry, policy);
  assert.ok(one.outcome === 'refused' && one.reason === 'SIGNERS_MISSING', told(one));
  assert.match(one.message, /^1 of the 2 required keys/);
  await sign(third);
  const two = await judge(t, registry, policy);
  assert.equal(two.outcome, 'vouched', told(two));
});

test('the fault that came closest is the one that is told', async (t) => {
  const registry = await start(t);
  const push = async (statement: object, options = {}) =>
    registry.push('app', bundleImage(await publisher.statement(statement, options), app));
  await push(imageStatement(app.digest), { identity: 'https://github.com/somebody/else' });
  await push(imageStatement(app.digest), { log: 'none', timestamp: true });
  await push(imageStatement(app.digest), { key: ecKey() });
  const finding = await judge(t, registry, keyless());
  assert.ok(finding.outcome === 'refused' && finding.reason === 'SIGNATURE_UNLOGGED', told(finding));
  assert.equal(finding.evidence.filter(({ ok }) => !ok).length, 3);
});

async function start(t: import('node:test').TestContext): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(t);
  registry.push('app', app, '1');
  return registry;
}

function judge(
  t: import('node:test').TestContext,
  registry: FakeRegistry,
  policy: ReturnType<typeof keyless>,
  options: Parameters<typeof cosignAuthority>[4] = {},
  of: MemoryImage = app,
): Promise<Finding> {
  return cosignAuthority(t, registry, publisher, policy, options).judge(about(of.digest, publisher.now));
}

function stepOf(finding: Finding): EvidenceStep {
  const step = finding.evidence.find(({ facts }) => facts?.form !== undefined);
  assert.ok(step, told(finding));
  return step;
}

function told(finding: Finding): string {
  return JSON.stringify(finding, undefined, 1);
}
