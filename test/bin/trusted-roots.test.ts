import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getTrustedRoot } from '@sigstore/tuf';
import { openGateway, openPulls, openTrust } from '../../bin/open-gateway.ts';
import { TrustedRoots } from '../../bin/trusted-roots.ts';
import type { Config } from '../../config/config.ts';
import { readConfig } from '../../config/read.ts';
import { parseTag, tagReference } from '../../oci/reference.ts';
import { DeniedError } from '../../proxy/denial.ts';
import { hexDigest } from '../../trust/metadata/hex-digest.ts';
import { about, APP } from '../support/cosign-authority.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { bundleImage } from '../support/signature-images.ts';
import { imageStatement } from '../support/image-statement.ts';
import { ISSUER, SigstorePublisher } from '../support/sigstore-publisher.ts';
import { TrustedRootMirror } from '../support/trusted-root-mirror.ts';

const publisher = await SigstorePublisher.create();
const app = image({ layers: ['the app'] });
const WHO = `issuer: "${ISSUER}", identity: "https://github.com/acme/*"`;

/** A registry with a keyless signature, a private mirror with its own root.json, and the configuration as a person writes it. */
async function deployment(t: TestContext, { root = undefined as Buffer | undefined, more = '' } = {}) {
  const registry = await FakeRegistry.start(t);
  registry.push('app', app, '1');
  registry.push('app', bundleImage(await publisher.statement(imageStatement(app.digest)), app));
  const mirror = await TrustedRootMirror.start(t);
  mirror.publish(publisher.trustedRoot());
  const folder = await mkdtemp(join(tmpdir(), 'docklock-roots-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'mirror-root.json'), root ?? mirror.repository.root());
  const trustRoot = `trustRoot: { tuf: "${mirror.url}/", root: ./mirror-root.json }${more}`;
  const yaml = `
upstreams: { corp: { url: "${registry.url}" } }
authorities:
  ci: { type: cosign, ${WHO}, ${trustRoot} }
  release: { type: cosign, ${WHO}, ${trustRoot}, trustRootMaxAge: 1d }
policy: [{ images: "**", require: [ci, release] }]
`;
  await writeFile(join(folder, 'docklock.yaml'), yaml);
  return { registry, mirror, folder, config: await readConfig(join(folder, 'docklock.yaml')) };
}

async function pulled(config: Config, now = publisher.now): Promise<string> {
  const { part, close } = await openPulls(config, new RecordingLog(), () => now);
  try {
    return (await part.pull(APP, tagReference(parseTag('1')))).manifest.digest;
  } catch (error) {
    assert.ok(error instanceof DeniedError, String(error));
    return error.verdict.reason;
  } finally {
    await close();
  }
}

test('a private mirror with its own root.json: two authorities, one refresh, one folder, and then no network', async (t) => {
  const { mirror, config } = await deployment(t);
  assert.equal(await pulled(config), app.digest);
  for (const name of ['timestamp.json', mirror.file]) {
    assert.equal(mirror.requests.filter((request) => request === name).length, 1, name);
  }
  const folders = await Promise.all(
    ['trust', 'floors'].map((folder) => readdir(join(config.data, folder, '.sigstore'))),
  );
  assert.deepEqual(
    folders.map(({ length }) => length),
    [1, 1],
  );
  mirror.answer = () => 503;
  assert.equal(await pulled(config), app.digest);
  const asked = mirror.requests.length;
  assert.equal(await pulled(config, new Date(publisher.now.getTime() + 25 * 3_600_000)), 'TRUST_STALE');
  assert.ok(mirror.requests.length > asked, 'only now somebody waits for the mirror');
});

test('the root.json of another repository is refused, with nothing of the mirror believed', async (t) => {
  const other = await TrustedRootMirror.start(t);
  other.publish(publisher.trustedRoot());
  const { config } = await deployment(t, { root: other.repository.root() });
  assert.match(await pulled(config), /^(?:KEY_NOT_TRUSTED|SIGNATURE_INVALID|SIGNERS_MISSING)$/);
});

test('beside a running gateway it is read and nothing is asked or written', async (t) => {
  const { mirror, config } = await deployment(t);
  const log = new RecordingLog();
  const now = () => publisher.now;
  const gateway = await openGateway(config, log, now);
  t.after(() => gateway.close());
  for (const authority of gateway.part.authorities) {
    assert.equal((await authority.judge(about(app.digest, now()))).outcome, 'vouched');
  }
  const asked = mirror.requests.length;
  assert.equal(await pulled(config), app.digest);
  const trust = await openTrust(config, log, now);
  t.after(() => trust.close());
  for (const authority of trust.part) await authority.recall?.();
  const stands = trust.part.map((authority) => authority.status().trust);
  assert.deepEqual(
    stands,
    gateway.part.authorities.map((authority) => authority.status().trust),
  );
  assert.deepEqual(stands[0]?.[0]?.versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  assert.equal(stands[0]?.[0]?.of, `trusted root (${mirror.url})`);
  assert.equal(mirror.requests.length, asked);
});

test('a gateway has it refreshed in the background from its start', async (t) => {
  const { mirror, config } = await deployment(t);
  const gateway = await openGateway(config, new RecordingLog(), () => publisher.now);
  try {
    assert.equal(mirror.requests.length, 0);
    const asked = Promise.withResolvers<void>();
    mirror.answer = (name) => {
      if (name === mirror.file) asked.resolve();
      return undefined;
    };
    gateway.part.roots.start();
    await asked.promise;
  } finally {
    // Here, since what is removed after the test is removed in the order it was made: the folder first.
    await gateway.close();
  }
});

test('@sigstore/tuf has the same trusted root from the same mirror, by its own way', async (t) => {
  const { mirror, folder, config } = await deployment(t);
  assert.equal(await pulled(config), app.digest);
  const theirs = await getTrustedRoot({
    mirrorURL: mirror.url,
    rootPath: join(folder, 'mirror-root.json'),
    cachePath: join(folder, 'theirs'),
  });
  const ours = JSON.parse(publisher.trustedRoot().toString());
  assert.equal(theirs.tlogs.length, ours.tlogs.length);
  assert.deepEqual(
    theirs.tlogs.map(({ publicKey }) => publicKey?.rawBytes?.toString('base64')),
    ours.tlogs.map((log: { publicKey: { rawBytes: string } }) => log.publicKey.rawBytes),
  );
  const [place = ''] = await readdir(join(config.data, 'trust', '.sigstore'));
  assert.deepEqual(await readdir(join(config.data, 'trust', '.sigstore', place, 'targets')), [
    hexDigest('sha256', publisher.trustedRoot()),
  ]);
});

test('the public good instance is known without anybody being asked', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'docklock-roots-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const now = () => new Date('2026-11-24T00:00:00Z');
  const roots = new TrustedRoots({ data, readOnly: false, log: new RecordingLog(), now });
  t.after(() => roots.close());
  const root = await roots.of({ kind: 'public-good' });
  assert.equal(await roots.of({ kind: 'public-good' }), root);
  const { root: trusted, validUntil } = await root.current(now(), 90 * 24 * 3_600_000);
  assert.ok(trusted.material.tlogs.length > 0);
  assert.deepEqual(validUntil, new Date('2027-02-03T00:00:00Z'));
  assert.deepEqual(root.status(0).versions, { root: 16 });
});
