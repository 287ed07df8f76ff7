import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { MANIFEST_LIMIT } from '../../oci/manifest.ts';
import { MANIFEST_MEDIA_TYPES, OCI_INDEX } from '../../oci/media-type.ts';
import { digestReference, parseReference } from '../../oci/reference.ts';
import { BodyTooLarge } from '../../upstream/upstream-error.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { APP, clientOf, failing, V1 } from './support/clients.ts';

test('a manifest comes byte for byte, with the media type it was served with', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  const { client } = clientOf(t, registry.url);
  const byTag = await client.manifest(APP, V1);
  const byDigest = await client.manifest(APP, digestReference(app.digest));
  assert.deepEqual(Buffer.from(byTag?.bytes ?? []), app.bytes);
  assert.deepEqual(byDigest, byTag);
  assert.equal(byTag?.contentType, app.mediaType);
});

test('a manifest is asked for with every media type we read, and as it is stored', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  await client.manifest(APP, V1);
  const { headers } = registry.requests[0] ?? assert.fail('a request');
  for (const type of MANIFEST_MEDIA_TYPES) assert.ok(headers.accept?.includes(type), type);
  assert.equal(headers['accept-encoding'], 'identity');
  assert.equal(headers['user-agent'], 'docklock');
});

test('what the upstream does not have is undefined, not an error', async (t) => {
  const registry = await FakeRegistry.start(t);
  const { client } = clientOf(t, registry.url);
  const digest = digestOf(Buffer.from('nothing'));
  assert.equal(await client.resolve(APP, V1), undefined);
  assert.equal(await client.manifest(APP, V1), undefined);
  assert.equal(await client.blob(APP, digest, { offset: 0, size: 7 }), undefined);
  assert.equal(await client.tags(APP, {}), undefined);
  assert.equal(await client.referrers(APP, digest), undefined);
});

test('a tag is resolved by one HEAD', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  const { client } = clientOf(t, registry.url);
  assert.deepEqual(await client.resolve(APP, V1), { digest: app.digest });
  assert.deepEqual(
    registry.requests.map(({ method }) => method),
    ['HEAD'],
  );
});

test('where HEAD says no digest, or is not known, the manifest is fetched and hashed', async (t) => {
  const app = image();
  for (const fault of [
    { headers: { 'docker-content-digest': undefined } },
    { headers: { 'docker-content-digest': 'sha256:nonsense' } },
    { status: 405 },
  ]) {
    const registry = await FakeRegistry.start(t);
    registry.push(APP, app, 'v1');
    registry.spoil({ kind: 'manifest', method: 'HEAD' }, fault);
    const { client } = clientOf(t, registry.url);
    assert.deepEqual(await client.resolve(APP, V1), { digest: app.digest });
    assert.equal(registry.count('manifest', 'GET'), 1);
  }
});

test('a digest that resolves to another digest is a bad answer', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  const { client } = clientOf(t, registry.url);
  const other = digestOf(Buffer.from('other'));
  const stop = registry.spoil({ kind: 'manifest' }, { headers: { 'docker-content-digest': other } });
  await failing(client.resolve(APP, digestReference(app.digest)), 'bad-answer');
  stop();
  registry.spoil({ kind: 'manifest' }, { tamper: 'middle', headers: { 'docker-content-digest': undefined } });
  await failing(client.resolve(APP, digestReference(app.digest)), 'bad-answer');
});

test('a digest in sha512 is resolved by its own algorithm', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  const sha512 = digestOf(app.bytes, 'sha512');
  registry.spoil(
    { kind: 'manifest' },
    { status: 200, body: app.bytes, headers: { 'docker-content-digest': undefined } },
  );
  const { client } = clientOf(t, registry.url);
  assert.deepEqual(await client.resolve(APP, digestReference(sha512)), { digest: sha512 });
});

test('a manifest of exactly the limit is read, one byte more is refused', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  const stop = registry.spoil({ kind: 'manifest' }, { body: Buffer.alloc(MANIFEST_LIMIT, ' ') });
  assert.equal((await client.manifest(APP, V1))?.bytes.byteLength, MANIFEST_LIMIT);
  stop();
  for (const headers of [{}, { 'content-length': undefined }]) {
    const again = registry.spoil({ kind: 'manifest' }, { body: Buffer.alloc(MANIFEST_LIMIT + 1, ' '), headers });
    const error = await failing(client.manifest(APP, V1), 'bad-answer');
    assert.ok(error instanceof BodyTooLarge);
    again();
  }
});

test('a page of tags tells whether there is more', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'a', 'b', 'c');
  const { client } = clientOf(t, registry.url);
  assert.deepEqual(await client.tags(APP, { n: 2 }), { tags: ['a', 'b'], more: true });
  assert.deepEqual(await client.tags(APP, { n: 2, last: 'b' }), { tags: ['c'], more: false });
  assert.deepEqual(await client.tags(APP, {}), { tags: ['a', 'b', 'c'], more: false });
  assert.equal(registry.count('tags'), 3);
});

test('what is no list of tags is a bad answer, and null is an empty one', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'a');
  const { client } = clientOf(t, registry.url);
  for (const body of ['<html>', '[]', '{"tags":[1]}', '{"tags":{"a":1}}', '{}', '']) {
    const stop = registry.spoil({ kind: 'tags' }, { body });
    await failing(client.tags(APP, {}), 'bad-answer');
    stop();
  }
  registry.spoil({ kind: 'tags' }, { body: '{"name":"library/app","tags":null}' });
  assert.deepEqual(await client.tags(APP, {}), { tags: [], more: false });
});

test('referrers are asked for by artifact type', async (t) => {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push(APP, app, 'v1');
  registry.push(APP, image({ subject: app, artifactType: 'application/sbom', layers: ['sbom'] }));
  registry.push(APP, image({ subject: app, artifactType: 'application/signature', layers: ['sig'] }));
  const { client } = clientOf(t, registry.url);
  const all = await client.referrers(APP, app.digest);
  assert.equal(JSON.parse(Buffer.from(all?.bytes ?? []).toString()).manifests.length, 2);
  assert.equal(all?.contentType, OCI_INDEX);
  const some = await client.referrers(APP, app.digest, { artifactType: 'application/sbom' });
  assert.equal(JSON.parse(Buffer.from(some?.bytes ?? []).toString()).manifests.length, 1);
});

test('a ping says whether there is a registry', async (t) => {
  const registry = await FakeRegistry.start(t);
  const { client } = clientOf(t, registry.url);
  await client.ping();
  registry.spoil({ kind: 'ping' }, { status: 404 });
  await failing(client.ping(), 'bad-answer');
});

test('a path in the configured URL goes in front of every request', async (t) => {
  const registry = await FakeRegistry.start(t);
  const { client } = clientOf(t, `${registry.url}/prefix/`);
  await client.manifest(APP, parseReference('v1'));
  assert.equal(registry.requests[0]?.path, '/prefix/v2/library/app/manifests/v1');
});

test('requests one after the other share a connection, whatever their outcome', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  await client.resolve(APP, V1);
  await client.manifest(APP, V1);
  await client.manifest(APP, parseReference('missing'));
  await client.tags(APP, {});
  assert.equal(registry.connections, 1);
});

test('a closed client answers nothing more, and ends what is under way', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  const { promise: never } = Promise.withResolvers<void>();
  registry.spoil({ kind: 'manifest' }, { hangUntil: never });
  const arrived = registry.arrival({ kind: 'manifest' });
  const underWay = client.manifest(APP, V1);
  await arrived;
  client.close();
  await failing(underWay, 'unreachable');
  await failing(client.tags(APP, {}), 'unreachable');
});

test('an asker who gives up gets his own reason, at once', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  const { promise: never } = Promise.withResolvers<void>();
  registry.spoil({ kind: 'manifest' }, { hangUntil: never });
  const leaving = new AbortController();
  const reason = new Error('the client left');
  const arrived = registry.arrival({ kind: 'manifest' });
  const underWay = client.manifest(APP, V1, leaving.signal);
  await arrived;
  leaving.abort(reason);
  await assert.rejects(underWay, reason);
});
