import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { open, rawRequest } from '../support/raw-request.ts';
import { told } from '../support/told.ts';

const app = image({ layers: [Buffer.alloc(300_000, 'layer')] });

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  return { registry, gateway };
}

interface Facts {
  readonly [name: string]: unknown;
}

async function logged(gateway: TestGateway, text: string): Promise<Facts> {
  return (await gateway.log.line(text)).facts as Facts;
}

test('every answer says which API it speaks, and is for this moment only', async (t) => {
  const { gateway } = await start(t);
  for (const path of ['/v2/', '/v2', '/v2/corp/app/manifests/1', '/v2/corp/app/manifests/none', '/nowhere']) {
    const { headers } = await request(gateway.url).get(path);
    assert.equal(headers['docker-distribution-api-version'], 'registry/2.0', path);
    assert.equal(headers['cache-control'], 'no-store', path);
  }
  assert.deepEqual((await request(gateway.url).get('/v2/').expect(200)).body, {});
  assert.equal(told(await request(gateway.url).get('/nowhere')), '404 NAME_UNKNOWN');
});

test('an answer about an image says which upstream it speaks for', async (t) => {
  const { gateway } = await start(t);
  for (const path of ['manifests/1', 'manifests/none', 'tags/list', `referrers/${app.digest}`]) {
    assert.equal((await request(gateway.url).get(`/v2/app/${path}`)).headers['oci-namespace'], 'corp', path);
  }
});

test('a request is one line of the log: what was asked, by whom, and how it went', async (t) => {
  const { gateway } = await start(t);
  const agent = 'a'.repeat(300);
  await request(gateway.url).get('/v2/corp/app/manifests/1?ns=corp').set('User-Agent', agent).expect(200);
  const { ms, ...facts } = await logged(gateway, 'request');
  assert.ok(typeof ms === 'number' && ms >= 0);
  assert.deepEqual(facts, {
    method: 'GET',
    path: '/v2/corp/app/manifests/1',
    status: 200,
    reason: undefined,
    sent: undefined,
    whole: true,
    client: '127.0.0.1',
    agent: agent.slice(0, 200),
    image: 'corp/app',
  });
});

test('a denial is one line more, which operators count', async (t) => {
  const { gateway } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/2').expect(403);
  const { facts } = gateway.log.at('warn')[0] ?? {};
  assert.deepEqual(facts, {
    event: 'denied',
    image: 'corp/app:2',
    outcome: 'refused',
    reason: 'TAG_NOT_SIGNED',
    rule: 'policy[0]',
    authority: 'signer',
  });
  await request(gateway.url).get('/v2/corp/APP/manifests/2').expect(400);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  assert.equal(gateway.log.at('warn').length, 1, 'what is no denial is not counted as one');
});

test('what writes is told what it may do instead', async (t) => {
  const { gateway } = await start(t);
  const answer = await request(gateway.url).put('/v2/corp/app/manifests/1').expect(405);
  assert.equal(answer.headers.allow, 'GET, HEAD');
});

test('a connection is kept for the next request, unless this one had a body', async (t) => {
  const { gateway } = await start(t);
  const get = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n';
  for (const [head, closed] of [
    [`${get}\r\n`, false],
    [`${get}Content-Length: 0\r\n\r\n`, false],
    [`${get}Content-Length: 1\r\n\r\nx`, true],
    [`${get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, true],
  ] as const) {
    const { text } = await rawRequest(gateway.url, `${head}${closed ? '' : `${get}Connection: close\r\n\r\n`}`);
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, closed ? 1 : 2, JSON.stringify(head));
    assert.match(text, closed ? /^Connection: close\r$/m : /^Connection: keep-alive\r$/m);
  }
});

test('a body that breaks off is cut, so that nobody takes it for whole, and said in the log', async (t) => {
  const { registry, gateway } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  registry.spoil({ kind: 'blob' }, { tamper: 'last' });
  const answer = await receive(`${gateway.url}/v2/corp/app/blobs/${app.layers[0]}`);
  assert.equal(answer.status, 200);
  assert.ok(!answer.whole);
  const { path } = await logged(gateway, 'body cut short');
  assert.equal(path, `/v2/corp/app/blobs/${app.layers[0]}`);
  assert.ok(gateway.log.lines.some(({ facts }) => (facts as Facts).whole === false));
  assert.ok(!gateway.log.at('error').some(({ text }) => text === 'internal error'));
});

test('a client that leaves in the middle is no error of ours', async (t) => {
  const { registry, gateway } = await start(t);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  const held = gate();
  t.after(() => held.open());
  registry.spoil(
    { kind: 'blob' },
    { pieces: 100_000, beforePiece: (at) => (at === 1 ? held.opened : Promise.resolve()) },
  );
  const socket = open(gateway.url);
  socket.write(`GET /v2/corp/app/blobs/${app.layers[0]} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  gateway.log.lines.length = 0;
  socket.destroy();
  const { whole, status } = await logged(gateway, 'request');
  assert.deepEqual([status, whole], [200, false]);
  await gateway.log.line('connection ended early');
  assert.equal(gateway.log.at('error').length, 0);
});
