import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SigstoreAuthority } from '../../../trust/sigstore/authority.ts';
import { parseTag, tagReference } from '../../../oci/reference.ts';
import { SourceUnavailable } from '../../../trust/sigstore/signature-source.ts';
import { SigstoreError } from '../../../trust/sigstore/sigstore-error.ts';
import { parseTrustedRoot } from '../../../trust/sigstore/trusted-root.ts';
import type { TrustStatus } from '../../../trust/status.ts';
import type { CurrentRoot, TrustedRootSource } from '../../../trust/sigstore/trusted-root-source.ts';
import { about, APP, cosignAuthority, HOUR } from '../../support/cosign-authority.ts';
import { FakeRegistry, image } from '../../support/fake-registry.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { bundleImage, legacyImage, signatureTag } from '../../support/signature-images.ts';
import { imageStatement, simpleSigning } from '../../support/image-statement.ts';
import { ecKey } from '../../support/key-pair.ts';
import { SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { keyed, keyless } from './cases.ts';

const publisher = await SigstorePublisher.create();
const app = image({ layers: ['the app'] });
const { now } = publisher;

async function signedRegistry(t: import('node:test').TestContext): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(t);
  registry.push('app', app, '1');
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app));
  return registry;
}

const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

test('five hundred equal questions cost one search and one verification', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  const findings = await Promise.all(Array.from({ length: 500 }, () => authority.judge(about(app.digest, now))));
  assert.ok(findings.every(({ outcome }) => outcome === 'vouched'));
  assert.deepEqual([registry.count('referrers'), registry.count('manifest'), registry.count('blob')], [1, 1, 1]);
});

test('what was found good is used until it is to be looked for again', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  await authority.judge(about(app.digest, now));
  await authority.judge(about(app.digest, later(HOUR - 1)));
  assert.equal(registry.count('referrers'), 1);
  const again = await authority.judge(about(app.digest, later(HOUR)));
  assert.equal(registry.count('referrers'), 2);
  assert.ok(again.outcome === 'vouched');
  assert.deepEqual(again.refreshedAt, later(HOUR));
});

test('a rule that wants fresher trust has it looked for sooner', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  await authority.judge(about(app.digest, now, 1000));
  await authority.judge(about(app.digest, later(1000), 1000));
  assert.equal(registry.count('referrers'), 2);
});

test('a refusal is kept for seconds only: the signature comes after its image', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push('app', app, '1');
  const authority = cosignAuthority(t, registry, publisher, keyless());
  assert.equal((await authority.judge(about(app.digest, now))).outcome, 'refused');
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app));
  assert.equal((await authority.judge(about(app.digest, later(9_999)))).outcome, 'refused');
  assert.equal((await authority.judge(about(app.digest, later(10_000)))).outcome, 'vouched');
});

test('in an outage what was found good stands, as old as it is, and a withdrawn signature does not', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  await authority.judge(about(app.digest, now));
  const stop = registry.spoil({}, { status: 503 });
  const standing = await authority.judge(about(app.digest, later(2 * HOUR)));
  assert.ok(standing.outcome === 'vouched');
  assert.deepEqual(standing.refreshedAt, now);
  assert.match(standing.evidence.map(({ text }) => text).join('\n'), /last looked for on .*could not be looked for/);
  const asked = registry.requests.length;
  await authority.judge(about(app.digest, later(2 * HOUR + 1_999)));
  assert.equal(registry.requests.length, asked, 'not asked again at once');
  await authority.judge(about(app.digest, later(2 * HOUR + 2_000)));
  assert.ok(registry.requests.length > asked);
  stop();
  registry.spoil({ kind: 'referrers' }, { status: 404 });
  const withdrawn = await authority.judge(about(app.digest, later(3 * HOUR)));
  assert.ok(withdrawn.outcome === 'refused' && withdrawn.reason === 'NOT_SIGNED');
});

test('an outage without anything found before is undetermined, and soon asked about again', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  const stop = registry.spoil({}, { status: 503 });
  const unknown = await authority.judge(about(app.digest, now));
  assert.ok(unknown.outcome === 'undetermined' && unknown.reason === 'TRUST_UNREACHABLE');
  stop();
  assert.equal((await authority.judge(about(app.digest, later(1_999)))).outcome, 'undetermined');
  assert.equal((await authority.judge(about(app.digest, later(2_000)))).outcome, 'vouched');
});

test('the same digest in another repository is another question', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  assert.equal((await authority.judge(about(app.digest, now))).outcome, 'vouched');
  const elsewhere = { ...about(app.digest, now), name: { ...APP, repository: 'other' as typeof APP.repository } };
  assert.equal((await authority.judge(elsewhere)).outcome, 'refused');
});

test('the reference that a signature must name is that of the image asked about', async (t) => {
  const registry = await FakeRegistry.start(t);
  const layer = await publisher.legacy(simpleSigning(app.digest, 'corp/app'));
  for (const repository of ['app', 'copy']) {
    registry.push(repository, legacyImage(layer), signatureTag(app, '.sig'));
  }
  const policy = keyless({}, { content: { reference: '{registry}/{repository}' } });
  const authority = cosignAuthority(t, registry, publisher, policy);
  assert.equal((await authority.judge(about(app.digest, now))).outcome, 'vouched');
  const copy = { ...about(app.digest, now), name: { ...APP, repository: 'copy' as typeof APP.repository } };
  const finding = await authority.judge(copy);
  assert.ok(finding.outcome === 'refused' && finding.reason === 'SUBJECT_MISMATCH');
});

test('a tag is covered by no signature', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless());
  assert.equal(authority.way, 'attests');
  const finding = await authority.judge({ ...about(app.digest, now), reference: tagReference(parseTag('1')) });
  assert.ok(finding.outcome === 'refused' && finding.reason === 'TAG_NOT_SIGNED');
});

/** A trusted root that changes, ends and goes away, as one that is fetched does. */
class ChangingRoot implements TrustedRootSource {
  readonly name = 'changing';
  current_: () => CurrentRoot;

  constructor(current: () => CurrentRoot) {
    this.current_ = current;
  }

  async current(): Promise<CurrentRoot> {
    return this.current_();
  }

  status(): TrustStatus {
    return { of: this.name, refreshedAt: now, failure: undefined, versions: {}, expiries: [] };
  }

  async recall(): Promise<void> {
    // Nothing is on disk.
  }
}

test('what rested on one trusted root is judged again under another', async (t) => {
  const registry = await signedRegistry(t);
  const rootOf = (bytes: Buffer): CurrentRoot => ({
    root: parseTrustedRoot(bytes),
    refreshedAt: now,
    validUntil: undefined,
  });
  const root = new ChangingRoot(() => rootOf(publisher.trustedRoot()));
  const authority = cosignAuthority(t, registry, publisher, keyless(), { root });
  const before = await authority.judge(about(app.digest, now));
  const without = publisher.trustedRoot((one) => {
    one.certificateAuthorities = [];
  });
  root.current_ = () => rootOf(without);
  const after = await authority.judge(about(app.digest, now));
  assert.ok(before.outcome === 'vouched' && after.outcome === 'refused' && after.reason === 'KEY_NOT_TRUSTED');
  assert.equal(registry.count('referrers'), 2);
});

test('a finding is as fresh as its trusted root, and ends with it', async (t) => {
  const registry = await signedRegistry(t);
  const root = parseTrustedRoot(publisher.trustedRoot());
  const current = { root, refreshedAt: later(-5 * HOUR), validUntil: later(HOUR) };
  const changing = new ChangingRoot(() => current);
  const authority = cosignAuthority(t, registry, publisher, keyless(), { root: changing });
  const finding = await authority.judge(about(app.digest, now));
  assert.ok(finding.outcome === 'vouched');
  assert.deepEqual([finding.refreshedAt, finding.validUntil], [later(-5 * HOUR), later(HOUR)]);
  assert.deepEqual(authority.status().trust, [changing.status()]);
});

test('a trusted root that cannot be had denies, each way in its own words', async (t) => {
  const registry = await signedRegistry(t);
  for (const [error, outcome] of [
    [new SourceUnavailable('no root'), 'undetermined TRUST_UNREACHABLE'],
    [new SigstoreError('METADATA_EXPIRED', 'the trusted root has expired'), 'refused METADATA_EXPIRED'],
    [new TypeError('a bug'), 'undetermined INTERNAL'],
  ] as const) {
    const root = new ChangingRoot(() => {
      throw error;
    });
    const authority = cosignAuthority(t, registry, publisher, keyless(), { root });
    const finding = await authority.judge(about(app.digest, now));
    assert.ok(finding.outcome !== 'vouched');
    assert.equal(`${finding.outcome} ${finding.reason}`, outcome);
  }
});

test('the age that a policy allows ends what was found', async (t) => {
  const registry = await signedRegistry(t);
  const authority = cosignAuthority(t, registry, publisher, keyless({}, { maxAge: 90 * 60_000 }));
  const finding = await authority.judge(about(app.digest, now));
  assert.ok(finding.outcome === 'vouched');
  assert.deepEqual(finding.validUntil, new Date(publisher.signedAt.getTime() + 90 * 60_000));
  const ended = await authority.judge(about(app.digest, later(31 * 60_000)));
  assert.ok(ended.outcome === 'refused' && ended.reason === 'SIGNATURE_EXPIRED');
});

test('keys alone need no trusted root, and everything else does', async (t) => {
  const registry = await FakeRegistry.start(t);
  const key = ecKey();
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest), { key, log: 'none' }), app));
  const authority = cosignAuthority(t, registry, publisher, keyed([key]), { root: undefined });
  assert.equal((await authority.judge(about(app.digest, now))).outcome, 'vouched');
  assert.deepEqual(authority.status(), { name: 'release', kind: 'cosign', trust: [] });
  for (const policy of [keyless(), keyed([key], { log: true }), keyed([key], { timestamp: true })]) {
    assert.throws(
      () => cosignAuthority(t, registry, publisher, policy, { root: undefined }),
      /expected a trusted root/,
    );
  }
});

test('a source that breaks is a bug of ours, and admits nothing', async () => {
  const log = new RecordingLog();
  const broken = () => Promise.reject(new TypeError('x is not a function'));
  const authority = new SigstoreAuthority({
    name: 'release',
    policy: keyed([ecKey()]),
    root: undefined,
    rootMaxAge: HOUR,
    signatures: undefined,
    attestationManifests: false,
    refresh: HOUR,
    sources: () => ({ manifest: broken, blob: broken, referrers: broken }),
    log,
  });
  const finding = await authority.judge(about(app.digest, now));
  assert.ok(finding.outcome === 'undetermined' && finding.reason === 'INTERNAL');
  assert.equal(log.at('error').length, 1);
});
