/** A mirror's clients go on to the registry itself after an ordinary no; on a listener marked `mirror: true` none is ordinary. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { type TestContext, test } from 'node:test';
import { parseDigest } from '../../oci/digest.ts';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { SIGNED, TestGateway } from '../support/gateway.ts';

const CLASSIC = 'docker/20.10.24 go/go1.19.8 os/linux arch/amd64 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))';
const CONTAINERD = 'containerd/1.6.20';
const AGENTS = [CLASSIC, CONTAINERD, 'skopeo/1.9.3', ''];
const OTHER = parseDigest(`sha256:${'0'.repeat(64)}`);

interface Answer {
  readonly status: number;
  readonly phrase: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly whole: boolean;
}

function ask(url: string, method: string, path: string, agent: string, more: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'User-Agent': agent, ...more };
    const sent = httpRequest(`${url}${path}`, { method, headers, agent: false }, (response) => {
      let body = '';
      const settle = () =>
        resolve({
          status: response.statusCode ?? 0,
          phrase: response.statusMessage ?? '',
          headers: response.headers,
          body,
          whole: response.complete,
        });
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', settle).on('error', settle);
    });
    sent.on('error', reject).end();
  });
}

async function stage(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const rules = [
    { images: 'docker.io/library/open', unsafeAllowUnsigned: true },
    { images: 'docker.io/library/**', ...SIGNED },
  ];
  const gateway = await TestGateway.start(t, { upstreams: { 'docker.io': registry }, rules });
  const app = image({ layers: ['layer one', 'layer two'] });
  registry.push('library/app', app, '1');
  return { registry, gateway, app };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Each makes its trouble, and names what is then asked for in vain; status and reason are the ordinary listener's. */
const CAUSES: readonly [cause: string, status: number, reason: string, path: (stage: Stage) => string][] = [
  [
    'unsigned',
    403,
    'TAG_NOT_SIGNED',
    ({ gateway }) => {
      gateway.signed.sign('docker.io/library/app', '2', OTHER);
      return '/v2/library/app/manifests/1';
    },
  ],
  [
    'a digest that is not signed',
    403,
    'DIGEST_NOT_SIGNED',
    ({ gateway, app }) => {
      gateway.signed.sign('docker.io/library/app', '2', OTHER);
      return `/v2/library/app/manifests/${app.digest}`;
    },
  ],
  ['no rule', 403, 'NO_RULE', () => '/v2/other/app/manifests/1'],
  ['a registry that is not configured', 403, 'NO_RULE', () => '/v2/library/app/manifests/1?ns=ghcr.io'],
  [
    'trust out of reach',
    503,
    'TRUST_UNREACHABLE',
    ({ gateway }) => {
      gateway.signed.unreachable = true;
      return '/v2/library/app/manifests/1';
    },
  ],
  [
    'an authority that breaks',
    503,
    'INTERNAL',
    ({ gateway }) => {
      gateway.signed.breaks = new TypeError('a bug');
      return '/v2/library/app/manifests/1';
    },
  ],
  ['unknown to the upstream', 404, 'MANIFEST_UNKNOWN', () => '/v2/library/open/manifests/none'],
  [
    'an upstream that fails',
    502,
    'UPSTREAM_SERVER_ERROR',
    ({ registry }) => {
      registry.spoil({}, { status: 500 });
      return '/v2/library/open/manifests/1';
    },
  ],
  [
    'an upstream that denies',
    502,
    'UPSTREAM_DENIED',
    ({ registry }) => {
      registry.spoil({}, { status: 403 });
      return '/v2/library/open/manifests/1';
    },
  ],
  [
    'an upstream that limits',
    429,
    'UPSTREAM_RATE_LIMITED',
    ({ registry }) => {
      registry.spoil({}, { status: 429 });
      return '/v2/library/open/manifests/1';
    },
  ],
  ['a blob of no admitted manifest', 403, 'NOT_ADMITTED', ({ app }) => `/v2/library/app/blobs/${app.layers[0]}`],
  ['a list of tags that no rule covers', 403, 'NO_RULE', () => '/v2/other/app/tags/list'],
  ['a bad name', 400, 'NAME_INVALID', () => '/v2/Library/app/manifests/1'],
  ['a bad digest', 400, 'DIGEST_INVALID', () => '/v2/library/app/blobs/sha256:12'],
  ['nothing at that path', 404, 'NAME_UNKNOWN', () => '/mirror/v2/library/app/manifests/1'],
  ['an encoded slash', 400, 'NAME_INVALID', () => '/v2/library%2fapp/manifests/1'],
];

for (const [cause, status, reason, prepare] of CAUSES) {
  test(`${cause}: final to every client of a mirror, and ordinary beside it`, async (t) => {
    const scene = await stage(t);
    const path = prepare(scene);
    const { url, mirrorUrl, log } = scene.gateway;
    for (const agent of AGENTS) {
      const ordinary = await ask(url, 'GET', path, agent);
      const ordinaryHead = await ask(url, 'HEAD', path, agent);
      assert.deepEqual([ordinary.status, ordinaryHead.status, reasonOf(ordinary)], [status, status, reason]);
      const head = await ask(mirrorUrl, 'HEAD', path, agent);
      assert.equal(head.status, agent === CONTAINERD ? 300 : status);
      assert.match(head.phrase, /^DockLock/);
      assert.equal(head.headers.location, undefined);
      log.lines.length = 0;
      const get = await ask(mirrorUrl, 'GET', path, agent);
      const blob = path.includes('/blobs/');
      assert.equal(get.status, blob ? 403 : 501);
      assert.match(get.phrase, /^DockLock[ -~]* \[no such process\]$/);
      assert.equal(reasonOf(get), blob && status !== 403 ? 'DENIED' : reason, 'the same verdict, whatever the form');
      for (const header of ['retry-after', 'oci-namespace', 'content-type']) {
        assert.equal(get.headers[header], ordinary.headers[header]);
      }
      for (const answer of [head, get]) assert.equal(answer.headers['www-authenticate'], undefined);
      await logged(scene.gateway, { status, reason, sent: get.status === status ? undefined : get.status });
    }
  });
}

test('no header makes a mirror admit what it refuses, or refuse what it admits', async (t) => {
  const { gateway, app } = await stage(t);
  gateway.signed.sign('docker.io/library/app', '1', app.digest);
  for (const agent of [...AGENTS, 'buildkit/v0.32', 'DockLock/1', 'cosign/2']) {
    for (const more of [{}, { Authorization: 'Basic YWRtaW46YWRtaW4=' }, { 'X-Mirror': 'false', Mirror: '0' }]) {
      for (const method of ['GET', 'HEAD']) {
        const good = await ask(gateway.mirrorUrl, method, '/v2/library/app/manifests/1', agent, more);
        assert.deepEqual([good.status, good.headers['docker-content-digest']], [200, app.digest]);
        const bad = await ask(gateway.mirrorUrl, method, '/v2/library/app/manifests/2', agent, more);
        assert.notEqual(bad.status, 200);
        assert.match(bad.phrase, /TAG_NOT_SIGNED/);
      }
    }
  }
});

test('a mirror answers its ping with 200 and no challenge, with the upstream and the trust server out', async (t) => {
  const { gateway, registry } = await stage(t);
  gateway.signed.unreachable = true;
  registry.spoil({}, { status: 500 });
  for (const path of ['/v2/', '/v2']) {
    const { status, headers } = await ask(gateway.mirrorUrl, 'GET', path, CLASSIC);
    assert.deepEqual([status, headers['www-authenticate']], [200, undefined]);
  }
  assert.equal(registry.requests.length, 0);
});

test('a push to a mirror is unsupported, as ever', async (t) => {
  const { gateway } = await stage(t);
  assert.equal((await ask(gateway.mirrorUrl, 'PUT', '/v2/library/app/manifests/1', CLASSIC)).status, 405);
});

test('a trust server that keeps containerd waiting until it would ask elsewhere is answered for in time', async (t) => {
  const { gateway } = await stage(t);
  const held = gate();
  gateway.signed.held = held.opened;
  t.after(() => held.open());
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const path = '/v2/library/app/manifests/1';
  const asked = Promise.all([
    ask(gateway.mirrorUrl, 'HEAD', path, CONTAINERD),
    ask(gateway.mirrorUrl, 'GET', path, CLASSIC),
  ]);
  await gateway.arrivals(2);
  t.mock.timers.tick(25_000);
  held.open();
  const [head, get] = await asked;
  assert.deepEqual([head.status, get.status, reasonOf(get)], [300, 501, 'TRUST_UNREACHABLE']);
});

test('a manifest whose config cannot be had is not given out by a mirror: dockerd would begin anew at the registry', async (t) => {
  const { gateway, registry, app } = await stage(t);
  gateway.signed.sign('docker.io/library/app', '1', app.digest);
  registry.spoil({ kind: 'blob' }, { status: 404 });
  const path = '/v2/library/app/manifests/1';
  assert.equal((await ask(gateway.url, 'GET', path, CLASSIC)).status, 200);
  assert.equal((await ask(gateway.mirrorUrl, 'GET', path, CLASSIC)).status, 501);
  assert.equal((await ask(gateway.mirrorUrl, 'HEAD', path, CLASSIC)).status, 404);
  assert.equal((await ask(gateway.mirrorUrl, 'HEAD', path, CONTAINERD)).status, 300);
});

test('with the manifest a mirror has the config, so that the upstream can no longer keep it back', async (t) => {
  const { gateway, registry, app } = await stage(t);
  gateway.signed.sign('docker.io/library/app', '1', app.digest);
  assert.equal((await ask(gateway.mirrorUrl, 'HEAD', '/v2/library/app/manifests/1', CLASSIC)).status, 200);
  registry.spoil({ kind: 'blob' }, { status: 500 });
  assert.equal((await ask(gateway.mirrorUrl, 'GET', `/v2/library/app/blobs/${app.config}`, CLASSIC)).status, 200);
});

test('a tampered layer has a status, for who would begin anew at the registry after a body cut short', async (t) => {
  const { gateway, registry, app } = await stage(t);
  gateway.signed.sign('docker.io/library/app', '1', app.digest);
  await ask(gateway.mirrorUrl, 'GET', '/v2/library/app/manifests/1', CLASSIC);
  registry.spoil({ kind: 'blob' }, { tamper: 'last' });
  const path = `/v2/library/app/blobs/${app.layers[0]}`;
  const classic = await ask(gateway.mirrorUrl, 'GET', path, CLASSIC);
  assert.deepEqual([classic.status, reasonOf(classic)], [403, 'CONTENT_MISMATCH']);
  assert.match(classic.phrase, / \[no such process\]$/);
  // Bound to the digest, the containerd family finds the same bytes or none elsewhere: it need not wait.
  const containerd = await ask(gateway.mirrorUrl, 'GET', path, CONTAINERD);
  assert.deepEqual([containerd.status, containerd.whole], [200, false]);
});

test('a layer that the upstream breaks off is an outage with a status, not a body cut short', async (t) => {
  const { gateway, registry, app } = await stage(t);
  gateway.signed.sign('docker.io/library/app', '1', app.digest);
  await ask(gateway.mirrorUrl, 'GET', '/v2/library/app/manifests/1', CLASSIC);
  registry.spoil({ kind: 'blob' }, { cutAfter: 0 });
  registry.spoil({ kind: 'blob' }, { cutAfter: 3 }, 1);
  const layer = await ask(gateway.mirrorUrl, 'GET', `/v2/library/app/blobs/${app.layers[0]}`, CLASSIC);
  assert.equal(layer.status, 501);
  assert.match(layer.phrase, / \[no such process\]$/);
});

function reasonOf({ body }: Answer): unknown {
  const [error] = JSON.parse(body).errors;
  return error.detail?.reason ?? error.code;
}

/** The access log's line, written once the connection's answer is done. */
async function logged(gateway: TestGateway, expected: { status: number; reason: string; sent: number | undefined }) {
  for (let turn = 0; turn < 1000; turn += 1) {
    const line = gateway.log.lines.find(({ text }) => text === 'request');
    if (line !== undefined) {
      const { status, reason, sent } = line.facts as Record<string, unknown>;
      assert.deepEqual({ status, reason, sent }, expected);
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('expected a line in the access log');
}
