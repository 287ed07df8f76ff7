/** What `upstream-bomb.test.ts` shows of the client of a registry, seen by who pulls: an error of the upstream, and a gateway that serves on. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { digestOf } from '../../oci/digest.ts';
import { FakeRegistry, image, type RequestKind } from '../support/fake-registry.ts';
import { receive, SIGNED, TestGateway } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { told } from '../support/told.ts';

const app = image();
const other = image({ layers: ['of another'] });

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, {
    upstreams: { corp: registry },
    limits: { firstByte: 100, idle: 100, document: 100 },
    rules: [
      { images: 'corp/open/**', unsafeAllowUnsigned: true },
      { images: '**', ...SIGNED },
    ],
  });
  registry.push('app', app, '1');
  registry.push('open/app', other, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  gateway.signed.sign('corp/app', '2', other.digest);
  registry.push('app', other, '2');
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  return { registry, gateway };
}

const ASKED: readonly (readonly [kind: RequestKind, path: string])[] = [
  ['manifest', '/v2/corp/app/manifests/2'],
  ['manifest', '/v2/corp/open/app/manifests/1'],
  ['blob', `/v2/corp/app/blobs/${app.layers[0]}`],
  ['tags', '/v2/corp/app/tags/list'],
  ['referrers', `/v2/corp/app/referrers/${app.digest}`],
];

const BAD_ANSWER = '502 UNAVAILABLE UPSTREAM_BAD_ANSWER';

for (const [what, fault, expected] of [
  ['one huge header', { raw: `HTTP/1.1 200 OK\r\nx-bomb: ${'x'.repeat(200_000)}\r\n\r\n` }, BAD_ANSWER],
  ['very many headers', { raw: `HTTP/1.1 200 OK\r\n${'x-bomb: x\r\n'.repeat(20_000)}\r\n` }, BAD_ANSWER],
  ['another protocol', { raw: 'SSH-2.0-OpenSSH_9.9\r\n' }, BAD_ANSWER],
  [
    'a length and chunks',
    { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n' },
    BAD_ANSWER,
  ],
  [
    'endless provisional answers',
    { raw: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100) },
    '502 UNAVAILABLE UPSTREAM_UNREACHABLE',
  ],
  ['nothing', { raw: '' }, '502 UNAVAILABLE UPSTREAM_UNREACHABLE'],
  [
    'bytes that only unpacked are too many',
    { body: gzipSync(Buffer.alloc(50_000_000)), headers: { 'content-encoding': 'gzip' }, status: 200 },
    BAD_ANSWER,
  ],
  ['a status of its own', { status: 299 }, BAD_ANSWER],
  ['another success', { status: 204 }, BAD_ANSWER],
  ['a teapot', { status: 418 }, BAD_ANSWER],
  ['a redirect to nowhere', { status: 307, headers: { location: undefined } }, BAD_ANSWER],
  ['a redirect to a file', { status: 307, headers: { location: 'file:///etc/passwd' } }, undefined],
  ['a redirect in circles', { status: 307, headers: { location: '?again' } }, BAD_ANSWER],
  [
    'a redirect to the metadata service of a cloud',
    { status: 307, headers: { location: 'http://169.254.169.254/latest/meta-data/' } },
    '502 UNAVAILABLE UPSTREAM_FORBIDDEN_TARGET',
  ],
] satisfies [string, Fault, string | undefined][]) {
  test(`an upstream that answers ${what} is in error for every kind of request, and nothing it said is passed on`, async (t) => {
    const { registry, gateway } = await start(t);
    const stop = registry.spoil({}, fault);
    for (const [, path] of ASKED) {
      const answer = await receive(`${gateway.url}${path}`);
      if (expected === undefined) assert.match(told(answer), /^502 UNAVAILABLE UPSTREAM_/);
      else assert.equal(told(answer), expected, path);
      assert.doesNotMatch(JSON.stringify(answer.headers) + answer.body, /x-bomb|passwd|meta-data/);
    }
    await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
    stop();
    for (const [, path] of ASKED) assert.equal(told(await receive(`${gateway.url}${path}`)), '200', path);
  });
}

/** A manifest is the upstream's text where nothing is signed: too long to be repeated, and not to be believed. */
for (const [what, text] of [
  ['no JSON', 'x'.repeat(1_000_000)],
  ['a schema version of a megabyte', `{"schemaVersion":"${'x'.repeat(1_000_000)}"}`],
  ['a schema version nested without end', `{"schemaVersion":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
  ['a media type of a megabyte', `{"schemaVersion":2,"mediaType":"${'x'.repeat(1_000_000)}"}`],
  [
    'a size of a megabyte',
    `{"schemaVersion":2,"config":{"mediaType":"","digest":"${app.digest}","size":"${'9'.repeat(1_000_000)}"}}`,
  ],
  ['a number of layers that is none', '{"schemaVersion":2,"layers":{"length":1e9}}'],
  ['more layers than any image', `{"schemaVersion":2,"layers":[${'{},'.repeat(100_000)}{}]}`],
  ['a prototype', '{"schemaVersion":2,"__proto__":{"config":{}},"constructor":{"prototype":{}}}'],
  ['escape codes for a terminal', '{"schemaVersion":2,"mediaType":"\\u001b[2J\\r\\nX-Evil: 1"}'],
] as const) {
  test(`a manifest that is ${what} is refused in a line of a few hundred characters`, async (t) => {
    const { registry, gateway } = await start(t);
    const bytes = Buffer.from(text);
    registry.push('open/app', { ...other, bytes, digest: digestOf(bytes) }, 'bad');
    const answer = await receive(`${gateway.url}/v2/corp/open/app/manifests/bad`);
    assert.equal(told(answer), '403 DENIED MANIFEST_INVALID');
    assert.ok(answer.body.byteLength < 2000, `${answer.body.byteLength} bytes`);
    assert.equal(answer.headers['x-evil'], undefined);
    assert.doesNotMatch(`${answer.phrase}${answer.body}`, /[^\x20-\x7e]/);
  });
}
