import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, parseDigest } from '../../oci/digest.ts';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import { findImage, targetPath, type Upstream } from '../../publish/image-target.ts';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { RegistryClient } from '../../upstream/registry-client.ts';
import { type Closing, FakeRegistry, image, index } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';

const NAME = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('acme/app') };
const TAG = parseReference('1');

async function upstream(t: Closing, pushed: MemoryImage): Promise<{ registry: FakeRegistry; client: Upstream }> {
  const registry = await FakeRegistry.start(t);
  registry.push('acme/app', pushed, '1');
  const client = new RegistryClient({
    name: NAME.upstream,
    url: registry.url,
    credentials: { kind: 'anonymous' },
    log: new RecordingLog(),
    now: () => new Date(),
  });
  t.after(() => client.close());
  return { registry, client };
}

test('digest and length are of the bytes that came, whatever the upstream says in its headers', async (t) => {
  const app = image();
  const { registry, client } = await upstream(t, app);
  registry.spoil({ kind: 'manifest' }, { headers: { 'docker-content-digest': digestOf(Buffer.from('a lie')) } });
  const { target, path } = await findImage(client, NAME, TAG);
  assert.deepEqual([path, target.digest, target.length], ['corp/acme/app:1', app.digest, app.bytes.byteLength]);
});

test('bytes that are not of the digest asked for are not vouched for', async (t) => {
  const [app, other] = [image(), image({ layers: ['other'] })];
  const { client } = await upstream(t, app);
  const liar: Upstream = {
    manifest: async () => ({ bytes: other.bytes, contentType: other.mediaType }),
    blob: client.blob.bind(client),
  };
  const asked = findImage(liar, NAME, parseReference(app.digest));
  await assert.rejects(asked, new RegExp(`the upstream served other bytes, of ${other.digest}`));
});

test('an index is vouched for as a whole, with the platforms that run and without its attestations', async (t) => {
  const built = { architecture: 'arm64', os: 'linux', created: '2026-01-02T03:04:05Z' };
  const all = index([image({ config: built }), image({ layers: ['2'] }), image({ layers: ['attestation'] })], {
    platforms: [
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'amd64' },
      { os: 'unknown', architecture: 'unknown' },
    ],
  });
  const { client } = await upstream(t, all);
  const found = await findImage(client, NAME, TAG);
  assert.equal(found.target.digest, all.digest);
  assert.deepEqual(found.platforms, ['linux/arm64', 'linux/amd64']);
  assert.deepEqual(found.target.custom, { mediaType: all.mediaType, platforms: ['linux/arm64', 'linux/amd64'] });
  assert.equal(found.created, '2026-01-02T03:04:05.000Z');
});

for (const [what, config] of [
  ['is no object', 'text'],
  ['has a date that is none', { os: 'linux', architecture: 'amd64', created: 'yesterday' }],
  ['has no platform', {}],
] as const) {
  test(`an image whose config ${what} has no date`, async (t) => {
    const { client } = await upstream(t, image({ config: config as object }));
    assert.equal((await findImage(client, NAME, TAG)).created, undefined);
  });
}

test('what the config calls a platform cannot draw on the terminal', async (t) => {
  const { client } = await upstream(t, image({ config: { os: 'li\u001b[2Jnux', architecture: 'amd64' } }));
  assert.deepEqual((await findImage(client, NAME, TAG)).platforms, ['li__2Jnux/amd64']);
});

test('a digest that TUF metadata of ours cannot hold is refused', () => {
  const sha512 = parseDigest(`sha512:${'ab'.repeat(64)}`);
  assert.throws(() => targetPath(NAME, { kind: 'digest', digest: sha512 }), /expected a sha256 digest/);
});
