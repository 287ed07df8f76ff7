/** An upstream answers with too much, with something else than HTTP, or with bytes that only unpacked become too much. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RegistryClient } from '../../upstream/registry-client.ts';
import type { UpstreamFailure } from '../../upstream/upstream-error.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import type { Fault } from '../support/registry-fault.ts';
import { APP, clientOf, failing, V1 } from '../upstream/support/clients.ts';

const app = image();

async function scene(t: TestContext, fault: Fault): Promise<{ registry: FakeRegistry; client: RegistryClient }> {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, app, 'v1');
  registry.spoil({}, fault);
  const { client } = clientOf(t, registry.url, { limits: { firstByte: 300, connect: 300, idle: 300 } });
  return { registry, client };
}

const ASKS: Readonly<Record<string, (client: RegistryClient) => Promise<unknown>>> = {
  ping: (client) => client.ping(),
  resolve: (client) => client.resolve(APP, V1),
  manifest: (client) => client.manifest(APP, V1),
  tags: (client) => client.tags(APP, {}),
  referrers: (client) => client.referrers(APP, app.digest),
};

for (const [name, ask] of Object.entries(ASKS)) {
  if (name === 'resolve') continue;
  test(`${name}: a body without end is cut off at its limit`, async (t) => {
    const { registry, client } = await scene(t, { status: 200, endless: true });
    await failing(ask(client), 'bad-answer');
    assert.equal(registry.requests.length, 1, 'and not asked for again');
  });

  test(`${name}: a Content-Length beyond the limit is refused unread`, async (t) => {
    const { client } = await scene(t, { status: 200, headers: { 'content-length': '99999999999' } });
    await failing(ask(client), 'bad-answer');
  });

  test(`${name}: a compressed body is refused, not unpacked`, async (t) => {
    for (const [encoding, body] of [
      ['gzip', gzipSync(Buffer.alloc(50_000_000))],
      ['br', Buffer.from('x')],
      ['zstd', Buffer.from('x')],
    ] as const) {
      const { client } = await scene(t, { status: 200, body, headers: { 'content-encoding': encoding } });
      await failing(ask(client), 'bad-answer');
    }
  });
}

const RAW: readonly [what: string, raw: string, failure: UpstreamFailure][] = [
  ['one huge header', `HTTP/1.1 200 OK\r\nx-bomb: ${'x'.repeat(200_000)}\r\n\r\n`, 'bad-answer'],
  ['very many headers', `HTTP/1.1 200 OK\r\n${'x-bomb: x\r\n'.repeat(20_000)}\r\n`, 'bad-answer'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n', 'bad-answer'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n', 'bad-answer'],
  ['two different lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx', 'bad-answer'],
  [
    'both a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'bad-answer',
  ],
  ['provisional answers without the real one', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100), 'unreachable'],
  ['nothing', '', 'unreachable'],
];

for (const [what, raw, failure] of RAW) {
  test(`an answer of ${what} is ${failure} for every kind of request`, async (t) => {
    for (const ask of Object.values(ASKS)) {
      const { client } = await scene(t, { raw });
      await failing(ask(client), failure);
    }
  });
}

test('provisional answers do not put off the limit for the real one', async (t) => {
  const registry = await FakeRegistry.start(t);
  const { client } = clientOf(t, registry.url, { limits: { firstByte: 60, connect: 60 } });
  registry.spoil({}, { provisional: 5 });
  await failing(client.manifest(APP, V1), 'timed-out');
});

test('a challenge that is garbage, or a bomb, is a bad answer', async (t) => {
  for (const challenge of [
    'garbage',
    'Bearer realm=',
    `Bearer ${'a="b",'.repeat(900)}`,
    'Bearer realm="\\',
    'Digest nonce="x"',
  ]) {
    const { registry, client } = await scene(t, { status: 401, headers: { 'www-authenticate': challenge } });
    await failing(client.manifest(APP, V1), 'bad-answer');
    assert.equal(registry.requests.length, 1);
  }
});

test('a token answer without end is cut off at its limit', async (t) => {
  const registry = await FakeRegistry.start(t, { auth: { kind: 'bearer' } });
  registry.spoil({ kind: 'token' }, { endless: true });
  const { client } = clientOf(t, registry.url);
  await failing(client.manifest(APP, V1), 'bad-answer');
});

test('the body of a redirect or a 404 that never comes does not hold us up', async (t) => {
  const registry = await FakeRegistry.start(t);
  const never = { body: 'never', pieces: 1, beforePiece: () => new Promise(() => undefined) };
  const next = '/v2/library/app/manifests/v2';
  registry.spoil({ kind: 'manifest' }, { ...never, status: 301, headers: { location: next } });
  registry.spoil({ path: next }, { ...never, status: 404 });
  const { client } = clientOf(t, registry.url);
  // Far below the limits for a body that is wanted.
  assert.equal(await client.manifest(APP, V1, AbortSignal.timeout(10_000)), undefined);
});

test('the body of a redirect is not read for its own sake', async (t) => {
  const registry = await FakeRegistry.start(t);
  const piece = 64 * 1024;
  let sent = 0;
  const beforePiece = async () => {
    sent += piece;
  };
  const body = Buffer.alloc(1000 * piece);
  const headers = { location: '/v2/library/app/manifests/v2' };
  registry.spoil({ kind: 'manifest' }, { status: 301, headers, body, pieces: piece, beforePiece }, 1);
  const { client } = clientOf(t, registry.url);
  assert.equal(await client.manifest(APP, V1), undefined);
  // What the sockets' buffers took, and no more.
  assert.ok(sent < body.byteLength / 2, `${sent} bytes`);
});
