import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MetadataClient, type MetadataClientOptions } from '../../upstream/metadata-client.ts';
import { BodyTooLarge } from '../../upstream/upstream-error.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { FakePace, failing } from './support/clients.ts';

const ROOT = '/v2/docker.io/library/alpine/_trust/tuf/root.json';

async function scene(t: TestContext, options: Partial<MetadataClientOptions> = {}) {
  const server = await FakeRegistry.start(t);
  server.spoil({ path: ROOT }, { status: 200, body: '{"signed":{}}' });
  const pace = new FakePace();
  const client = new MetadataClient({
    url: server.url,
    credentials: { kind: 'anonymous' },
    log: new RecordingLog(),
    now: pace.now,
    pace,
    ...options,
  });
  t.after(() => client.close());
  return { server, client };
}

test('metadata is found, or missing by 404 and 410', async (t) => {
  const { server, client } = await scene(t);
  const found = await client.get(`${server.url}${ROOT}`, 1000);
  assert.ok(found.kind === 'found');
  assert.equal(Buffer.from(found.bytes).toString(), '{"signed":{}}');
  for (const status of [404, 410]) {
    const stop = server.spoil({ path: ROOT }, { status });
    assert.deepEqual(await client.get(`${server.url}${ROOT}`, 1000), { kind: 'missing' });
    stop();
  }
});

test('a body above its limit is told apart, whether its length is said or not', async (t) => {
  const { server, client } = await scene(t);
  for (const fault of [
    { body: 'x'.repeat(1001) },
    { body: 'x'.repeat(1001), headers: { 'content-length': undefined } },
    { endless: true },
  ]) {
    const stop = server.spoil({ path: ROOT }, { status: 200, ...fault });
    assert.ok((await failing(client.get(`${server.url}${ROOT}`, 1000), 'bad-answer')) instanceof BodyTooLarge);
    stop();
  }
  server.spoil({ path: ROOT }, { status: 200, body: 'x'.repeat(1000) });
  assert.equal((await client.get(`${server.url}${ROOT}`, 1000)).kind, 'found');
});

test('a challenge is met with a token for the GUN, registry host included', async (t) => {
  const { server, client } = await scene(t);
  const challenge = `Bearer realm="${server.url}/token",service="notary"`;
  server.spoil({ path: ROOT }, { status: 401, headers: { 'www-authenticate': challenge } }, 1);
  server.spoil({ kind: 'token' }, { status: 200, body: '{"token":"abc"}' });
  assert.equal((await client.get(`${server.url}${ROOT}`, 1000)).kind, 'found');
  const asked = server.requests.find(({ kind }) => kind === 'token');
  assert.equal(asked?.query.get('scope'), 'repository:docker.io/library/alpine:pull');
  assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer abc');
});

test('only URLs below the configured one are asked', async (t) => {
  const server = await FakeRegistry.start(t);
  const { client } = await scene(t, { url: `${server.url}/metadata/` });
  for (const url of [
    `${server.url}/other/root.json`,
    `${server.url}/metadata/../other/root.json`,
    `${server.url}/metadata/%2e%2e/other/root.json`,
    `${server.url}/metadatax/root.json`,
    'http://elsewhere.example/metadata/root.json',
    server.url.replace('http:', 'https:'),
    `${server.url.replace('http://', 'http://user:secret@')}/metadata/root.json`,
    '/metadata/root.json',
    'root.json',
  ]) {
    await failing(client.get(url, 1000), 'forbidden-target');
  }
  assert.equal(server.requests.length, 0);
  assert.equal((await client.get(`${server.url}/metadata/1.root.json`, 1000)).kind, 'missing');
});
