/** A client that sends too much, two requests in one, or something that two servers would read differently. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';
import { open, type RawAnswer, rawGet, rawRequest } from '../support/raw-request.ts';

const app = image();
const PATH = '/v2/corp/app/manifests/1';
/** What a smuggler wants to have answered, or sent on, as if somebody else had asked. */
const SMUGGLED = 'GET /v2/corp/other/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n';

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', app, '1');
  registry.push('other', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  gateway.signed.sign('corp/other', '1', app.digest);
  return { registry, gateway };
}

function answersIn({ text }: RawAnswer): number {
  return text.match(/HTTP\/1\.1 \d{3}/g)?.length ?? 0;
}

async function stillServes(gateway: TestGateway): Promise<void> {
  await request(gateway.url).get(PATH).expect(200);
}

for (const [what, head] of [
  ['a header of 64 KiB', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-Bomb: ${'x'.repeat(65_536)}\r\n\r\n`],
  ['10,000 headers', `GET ${PATH} HTTP/1.1\r\nHost: x\r\n${'X-Bomb: x\r\n'.repeat(10_000)}\r\n`],
  ['a path of 64 KiB', `GET /v2/${'a/'.repeat(32_768)}manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['a query of 64 KiB', `GET ${PATH}?${'a=b&'.repeat(16_384)} HTTP/1.1\r\nHost: x\r\n\r\n`],
] as const) {
  test(`${what} is refused with 431, and the connection closed`, async (t) => {
    const { registry, gateway } = await start(t);
    const answer = await rawRequest(gateway.url, head);
    assert.equal(answer.status, 431);
    assert.equal(answersIn(answer), 1);
    assert.equal(registry.requests.length, 0);
    await stillServes(gateway);
  });
}

for (const [what, bytes] of [
  [
    'a length and chunks',
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'two lengths',
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  ['two lengths in one', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['a negative length', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${SMUGGLED}`],
  ['a length with a sign', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: +${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['a hexadecimal length', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n${SMUGGLED}`],
  [
    'a space before the colon',
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length : ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  ['an unknown transfer coding', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`],
  [
    'chunks that are not the last coding',
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a chunk size that is no number',
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x\r\n\r\n${SMUGGLED}`,
  ],
  ['a folded header', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Transfer-Encoding: chunked\r\n\r\n`],
  ['a NUL in a header', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: \0\r\n\r\n`],
  ['a bare CR in a header', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n`],
  ['bare LFs', `GET ${PATH} HTTP/1.1\nHost: x\n\n`],
  ['no host', `GET ${PATH} HTTP/1.1\r\n\r\n`],
  ['a path with a space', 'GET /v2/corp/app /manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a tunnel', 'CONNECT registry:443 HTTP/1.1\r\nHost: registry:443\r\n\r\n'],
] as const) {
  test(`a request with ${what} is refused, and nothing behind it is taken for a request`, async (t) => {
    const { registry, gateway } = await start(t);
    const answer = await rawRequest(gateway.url, Buffer.from(bytes, 'latin1'));
    assert.ok(answer.status === 400 || answer.text === '', answer.text.slice(0, 200));
    assert.ok(answersIn(answer) <= 1);
    assert.ok(!registry.requests.some(({ path }) => path.includes('other')));
    await stillServes(gateway);
  });
}

/** A well-formed request that another server in front might end elsewhere: what it carries is a body, which nobody reads. */
for (const [what, headers, body] of [
  ['a length', `Content-Length: ${SMUGGLED.length}`, SMUGGLED],
  ['chunks', 'Transfer-Encoding: chunked', `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`],
  ['a length that it waits to be told to send', `Expect: 100-continue\r\nContent-Length: ${SMUGGLED.length}`, SMUGGLED],
] as const) {
  for (const method of ['GET', 'HEAD', 'PUT']) {
    test(`a ${method} with a body of ${what} has one answer, and its connection is closed`, async (t) => {
      const { registry, gateway } = await start(t);
      const answer = await rawRequest(
        gateway.url,
        `${method} ${PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`,
      );
      const final = answer.text.replace('HTTP/1.1 100 Continue\r\n\r\n', '');
      assert.match(final, method === 'PUT' ? /^HTTP\/1\.1 405 / : /^HTTP\/1\.1 200 /);
      assert.equal(final.match(/HTTP\/1\.1 \d{3}/g)?.length, 1);
      assert.match(final, /\r\nConnection: close\r\n/i);
      assert.ok(!registry.requests.some(({ path }) => path.includes('other')));
    });
  }
}

function* endless(head: string, piece: string): Generator<string> {
  yield head;
  for (;;) yield piece;
}

for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
  test(`a ${method} with a body without end is answered, and cut off`, async (t) => {
    const { gateway } = await start(t);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    for (const [headers, piece] of [
      ['Transfer-Encoding: chunked', chunk],
      [`Content-Length: ${Number.MAX_SAFE_INTEGER}`, chunk],
    ] as const) {
      // It ends, because the gateway closes: nothing else would.
      const sent = endless(`${method} ${PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`, piece);
      const answer = await rawRequest(gateway.url, sent);
      assert.ok(answersIn(answer) <= 1);
    }
    await stillServes(gateway);
  });
}

test('an absolute address, whatever it names, is refused: it is another server that is meant', async (t) => {
  const { registry, gateway } = await start(t);
  for (const [address, status] of [
    [`http://corp${PATH}`, 400],
    [`${gateway.url}${PATH}`, 400],
    ['corp:443', 400],
    ['*', 400],
    [`//corp${PATH}`, 404],
  ] as const) {
    assert.equal((await rawGet(gateway.url, address)).status, status, address);
  }
  assert.equal(registry.requests.length, 0);
});

test('a client that begins and never goes on holds up nobody', async (t) => {
  const { gateway } = await start(t);
  const sockets = Array.from({ length: 50 }, () => open(gateway.url));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-Slow: `);
  await stillServes(gateway);
});
