import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { UpstreamFailure } from '../../upstream/upstream-error.ts';
import { type FakeOptions, FakeRegistry, gate } from '../support/fake-registry.ts';
import type { Fault } from '../support/registry-fault.ts';
import { APP, bytesOf, clientOf, failing, type TestClient } from './support/clients.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog';
const SIZE = TEXT.length;

interface Scene extends TestClient {
  readonly registry: FakeRegistry;
  readonly digest: Digest;
}

async function scene(t: TestContext, options: FakeOptions = {}): Promise<Scene> {
  const registry = await FakeRegistry.start(t, options);
  const digest = registry.pushBlob(APP, Buffer.from(TEXT));
  return { registry, digest, ...clientOf(t, registry.url, { limits: { idle: 40 } }) };
}

test('a blob comes whole, without asking for a range', async (t) => {
  const { registry, client, digest } = await scene(t);
  assert.equal(await bytesOf(await client.blob(APP, digest, { offset: 0, size: SIZE })), TEXT);
  assert.equal(registry.requests[0]?.headers.range, undefined);
});

test('a blob goes on from an offset, also at a server that ignores ranges', async (t) => {
  const { registry, client, digest } = await scene(t);
  for (const fault of [{}, { ignoreRange: true }, { ignoreRange: true, pieces: 7 }]) {
    const stop = registry.spoil({ kind: 'blob' }, fault);
    for (const offset of [1, 20, SIZE - 1]) {
      const rest = await bytesOf(await client.blob(APP, digest, { offset, size: SIZE }));
      assert.equal(rest, TEXT.slice(offset));
      assert.equal(registry.requests.at(-1)?.headers.range, `bytes=${offset}-${SIZE - 1}`);
    }
    stop();
  }
});

test('a blob with nothing left needs no request, an empty blob one', async (t) => {
  const { registry, client, digest } = await scene(t);
  assert.equal(await bytesOf(await client.blob(APP, digest, { offset: SIZE, size: SIZE })), '');
  assert.equal(registry.requests.length, 0);
  const empty = registry.pushBlob(APP, Buffer.alloc(0));
  assert.equal(await bytesOf(await client.blob(APP, empty, { offset: 0, size: 0 })), '');
  assert.equal(registry.requests.length, 1);
});

test('a blob of megabytes comes unchanged through a slow consumer', async (t) => {
  const { registry, client } = await scene(t);
  const bytes = Buffer.alloc(3_000_000, 'docklock');
  const digest = registry.pushBlob(APP, bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of (await client.blob(APP, digest, { offset: 5, size: bytes.byteLength })) ?? []) {
    await new Promise((resolve) => setImmediate(resolve));
    chunks.push(chunk);
  }
  assert.equal(digestOf(Buffer.concat(chunks)), digestOf(bytes.subarray(5)));
});

const PROMISES: readonly [what: string, offset: number, fault: Fault][] = [
  ['a longer Content-Length', 0, { headers: { 'content-length': `${SIZE + 1}` } }],
  ['a shorter Content-Length', 0, { headers: { 'content-length': `${SIZE - 1}` } }],
  ['a part nobody asked for', 0, { status: 206, headers: { 'content-range': `bytes 0-${SIZE - 1}/${SIZE}` } }],
  ['a 204', 0, { status: 204 }],
  ['another first byte', 5, { headers: { 'content-range': `bytes 4-${SIZE - 1}/${SIZE}` } }],
  ['another last byte', 5, { headers: { 'content-range': `bytes 5-${SIZE - 2}/${SIZE}` } }],
  ['another total', 5, { headers: { 'content-range': `bytes 5-${SIZE - 1}/${SIZE + 1}` } }],
  ['no Content-Range', 5, { headers: { 'content-range': undefined } }],
  ['a garbled Content-Range', 5, { headers: { 'content-range': 'bytes 5-' } }],
  ['a Content-Length that is not the part', 5, { headers: { 'content-length': `${SIZE}` } }],
  ['a whole blob of another length', 5, { ignoreRange: true, body: `${TEXT}!` }],
  ['a compressed body', 0, { headers: { 'content-encoding': 'gzip' } }],
  ['a range refused', 5, { status: 416 }],
];

for (const [what, offset, fault] of PROMISES) {
  test(`headers that promise ${what} are a bad answer before a byte is read`, async (t) => {
    const { registry, client, digest } = await scene(t);
    registry.spoil({ kind: 'blob' }, fault);
    await failing(client.blob(APP, digest, { offset, size: SIZE }), 'bad-answer');
  });
}

const BODIES: readonly [what: string, offset: number, fault: Fault, failure: UpstreamFailure][] = [
  ['one byte too many', 0, { body: `${TEXT}!`, headers: { 'content-length': undefined } }, 'bad-answer'],
  [
    'one byte too many after skipping',
    9,
    { ignoreRange: true, body: `${TEXT}!`, headers: { 'content-length': undefined } },
    'bad-answer',
  ],
  ['one byte too few', 0, { body: TEXT.slice(1), headers: { 'content-length': undefined } }, 'bad-answer'],
  ['no end', 0, { endless: true }, 'bad-answer'],
  ['a cut connection', 0, { cutAfter: 10 }, 'unreachable'],
  ['a cut connection in the part', 5, { cutAfter: 10 }, 'unreachable'],
  [
    'silence',
    0,
    { pieces: 10, beforePiece: (at) => (at < 2 ? Promise.resolve() : new Promise(() => undefined)) },
    'timed-out',
  ],
];

for (const [what, offset, fault, failure] of BODIES) {
  test(`a body with ${what} ends as ${failure}, and never yields more than was asked for`, async (t) => {
    const { registry, client, digest } = await scene(t);
    registry.spoil({ kind: 'blob' }, fault);
    const body = await client.blob(APP, digest, { offset, size: SIZE });
    let size = 0;
    const reading = (async () => {
      for await (const chunk of body ?? []) size += chunk.byteLength;
    })();
    await failing(reading, failure);
    assert.ok(size <= SIZE - offset, `${size} bytes`);
    assert.equal(registry.count('blob'), 1, 'no retry inside the stream');
  });
}

test('a body that drips is given up by its average rate, though never silent', async (t) => {
  const { registry, client, digest, pace } = await scene(t);
  const arrivals = Array.from({ length: SIZE }, gate);
  // Ten seconds before each byte, and the next only when the last has been read: never silent for long, always slow.
  const beforePiece = async (at: number) => {
    await arrivals[at]?.opened;
    pace.pass(10_000);
  };
  registry.spoil({ kind: 'blob' }, { pieces: 1, beforePiece });
  const body = await client.blob(APP, digest, { offset: 0, size: SIZE });
  arrivals[0]?.open();
  let read = 0;
  const reading = (async () => {
    for await (const chunk of body ?? []) {
      read += chunk.byteLength;
      arrivals[read]?.open();
    }
  })();
  const error = await failing(reading, 'timed-out');
  assert.match(error.message, /1024 bytes a second/);
  assert.ok(read < SIZE, 'long before the end');
});

test('a body that is left closes its connection', async (t) => {
  const { registry, client, digest } = await scene(t);
  const { promise: sentOn, resolve } = Promise.withResolvers<void>();
  const body = await client.blob(APP, digest, { offset: 0, size: SIZE });
  assert.ok(body !== undefined);
  registry.spoil({ kind: 'blob' }, { endless: true });
  body.once('close', resolve);
  body.destroy();
  await sentOn;
  assert.equal(body.destroyed, true);
});

test('an abort while the body streams ends it with the reason of the abort', async (t) => {
  const { registry, client, digest } = await scene(t);
  const { promise: never } = Promise.withResolvers<void>();
  registry.spoil({ kind: 'blob' }, { pieces: 10, beforePiece: (at) => (at === 0 ? Promise.resolve() : never) });
  const leaving = new AbortController();
  const body = await client.blob(APP, digest, { offset: 0, size: SIZE }, leaving.signal);
  const reason = new Error('the fill was given up');
  const reading = bytesOf(body);
  leaving.abort(reason);
  await assert.rejects(reading, reason);
});

test('a blob is read from the storage host that the registry names, without our credentials', async (t) => {
  const credentials = { kind: 'basic', username: 'ci', password: async () => 'hunter2' } as const;
  const registry = await FakeRegistry.start(t, {
    cdn: true,
    auth: { kind: 'basic', username: 'ci', password: 'hunter2' },
  });
  const digest = registry.pushBlob(APP, Buffer.from(TEXT));
  const { client } = clientOf(t, registry.url, { credentials });
  assert.equal(await bytesOf(await client.blob(APP, digest, { offset: 4, size: SIZE })), TEXT.slice(4));
  const stored = registry.requests.find(({ kind }) => kind === 'cdn');
  assert.equal(stored?.headers.authorization, undefined);
  assert.equal(stored?.headers.range, `bytes=4-${SIZE - 1}`);
});
