import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { openPulls } from '../../bin/open-gateway.ts';
import { readConfig } from '../../config/read.ts';
import { parseTag, tagReference } from '../../oci/reference.ts';
import { DeniedError } from '../../proxy/denial.ts';
import { APP } from '../support/cosign-authority.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { bundleImage } from '../support/signature-images.ts';
import { imageStatement } from '../support/image-statement.ts';
import { ecKey, pemText } from '../support/key-pair.ts';
import { ISSUER, SigstorePublisher } from '../support/sigstore-publisher.ts';

const key = ecKey();
const [older, newer] = [image({ layers: ['older'] }), image({ layers: ['newer'] })];

/** Asks once, as `docklock verify` does, with the configuration as a person writes it. */
async function asked(
  t: TestContext,
  registry: FakeRegistry,
  publisher: SigstorePublisher,
  authority: string,
  rule = '',
) {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-cosign-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'release.pub'), pemText(key.publicKey));
  await writeFile(join(folder, 'root.json'), publisher.trustedRoot());
  const yaml = `
upstreams: { corp: { url: "${registry.url}" } }
authorities: { release: { type: cosign, ${authority} } }
policy: [{ images: "**", require: [release]${rule} }]
`;
  await writeFile(join(folder, 'docklock.yaml'), yaml);
  const config = await readConfig(join(folder, 'docklock.yaml'));
  return async (now: Date): Promise<string> => {
    const { part, close } = await openPulls(config, new RecordingLog(), () => now);
    try {
      const { manifest } = await part.pull(APP, tagReference(parseTag('1')));
      return manifest.digest;
    } catch (error) {
      assert.ok(error instanceof DeniedError, String(error));
      return error.verdict.reason;
    } finally {
      await close();
    }
  };
}

async function sign(registry: FakeRegistry, publisher: SigstorePublisher, of: MemoryImage, by = {}): Promise<void> {
  registry.push('app', bundleImage(await publisher.statement(imageStatement(of.digest), by), of));
}

test('a key in a file', async (t) => {
  const registry = await FakeRegistry.start(t);
  const publisher = await SigstorePublisher.create();
  const pull = await asked(t, registry, publisher, 'key: ./release.pub');
  registry.push('app', older, '1');
  assert.equal(await pull(publisher.now), 'NOT_SIGNED');
  await sign(registry, publisher, older, { key, log: 'none' });
  assert.equal(await pull(publisher.now), older.digest);
});

test('an identity under a trusted root of our own, and not under the public good one', async (t) => {
  const registry = await FakeRegistry.start(t);
  const publisher = await SigstorePublisher.create();
  registry.push('app', older, '1');
  await sign(registry, publisher, older);
  const who = `issuer: "${ISSUER}", identity: "https://github.com/acme/*"`;
  const own = await asked(t, registry, publisher, `${who}, trustRoot: ./root.json`);
  assert.equal(await own(publisher.now), older.digest);
  const conditions = 'certificate: { buildTrigger: release }';
  const strict = await asked(t, registry, publisher, `${who}, trustRoot: ./root.json, ${conditions}`);
  assert.equal(await strict(publisher.now), 'IDENTITY_MISMATCH');
  const publicGood = await asked(t, registry, publisher, who);
  assert.match(await publicGood(publisher.now), /^(?:KEY_NOT_TRUSTED|SIGNATURE_INVALID)$/);
});

test('with noRollback a tag does not go back to an older signature, through restarts', async (t) => {
  const registry = await FakeRegistry.start(t);
  const early = await SigstorePublisher.create();
  registry.push('app', older, '1');
  await sign(registry, early, older, { key });
  const who = 'key: ./release.pub, log: true, timestamp: true, trustRoot: ./root.json';
  const pull = await asked(t, registry, early, who, ', freshness: { noRollback: true }');
  assert.equal(await pull(early.now), older.digest);
  await sign(registry, await early.later(60_000), newer, { key });
  registry.push('app', newer, '1');
  assert.equal(await pull(early.now), newer.digest);
  registry.push('app', older, '1');
  assert.equal(await pull(early.now), 'METADATA_ROLLBACK');
  registry.push('app', newer, '1');
  assert.equal(await pull(early.now), newer.digest);
});
