/** Harbor let who called itself a certain user agent past its policy. Here nothing that a client says about itself matters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, SIGNED, TestGateway } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const app = image({ layers: ['unsigned'] });

const SAID: readonly Readonly<Record<string, string>>[] = [
  {},
  ...['cosign/v2.4.1', 'notation/1.2', 'docker/27.0 go/1.22', 'containerd/2.0', 'harbor-registry-client', ''].map(
    (agent) => ({ 'User-Agent': agent }),
  ),
  ...['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Host', 'X-Original-Host'].map((name) => ({
    [name]: 'open.example',
  })),
  ...['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Forwarded-Path', 'X-Envoy-Original-Path'].map(
    (name) => ({
      [name]: '/v2/corp/open/manifests/1',
    }),
  ),
  { 'X-Forwarded-Prefix': '/v2/corp/open', 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'https' },
  { 'X-Real-IP': '127.0.0.1', 'True-Client-IP': '::1', Via: '1.1 docklock' },
  { Forwarded: 'for=127.0.0.1;host=open.example;proto=https' },
  { 'X-HTTP-Method-Override': 'HEAD', 'X-HTTP-Method': 'OPTIONS', 'X-Method-Override': 'HEAD' },
  { Authorization: 'Basic YWRtaW46YWRtaW4=' },
  { Authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' },
  { 'Proxy-Authorization': 'Basic YWRtaW46YWRtaW4=', 'X-Registry-Auth': 'e30=' },
  { Cookie: 'admin=1; policy=open', Referer: 'http://open.example/', Origin: 'http://open.example' },
  ...['*/*', 'text/html', 'application/vnd.docker.distribution.manifest.v1+prettyjws'].map((Accept) => ({ Accept })),
  { 'Accept-Encoding': 'gzip', 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
  {
    'OCI-Namespace': 'corp/open',
    'Docker-Content-Digest': app.digest,
    'Docker-Distribution-Api-Version': 'registry/1.0',
  },
  { 'If-None-Match': `"${app.digest}"` },
  { 'If-Match': `"${app.digest}"`, 'If-Range': `"${app.digest}"`, Range: 'bytes=0-0' },
  { 'If-Modified-Since': 'Wed, 01 Jan 2070 00:00:00 GMT', 'Cache-Control': 'only-if-cached', Pragma: 'no-cache' },
  { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' },
  { 'X-DockLock-Mode': 'warn', 'X-Policy': 'policy[0]', 'X-Unsafe-Allow-Unsigned': 'true' },
];

test('no header chooses the rule, nor what is done under it', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, {
    upstreams: { corp: registry, open: registry },
    hosts: { 'open.example': 'open' },
    rules: [
      { images: 'corp/open', unsafeAllowUnsigned: true },
      { images: 'open/**', unsafeAllowUnsigned: true },
      { images: 'corp/warned', mode: 'warn', ...SIGNED },
      { images: 'corp/signed', ...SIGNED },
    ],
  });
  for (const name of ['secret', 'signed', 'open']) registry.push(name, app, '1');
  gateway.signed.sign('corp/signed', '2', image().digest);
  for (const headers of SAID) {
    for (const [path, expected] of [
      ['corp/secret/manifests/1', '403 DENIED NO_RULE'],
      ['corp/secret/tags/list', '403 DENIED NO_RULE'],
      [`corp/secret/blobs/${app.layers[0]}`, '403 DENIED NO_RULE'],
      [`corp/secret/referrers/${app.digest}`, '403 DENIED NO_RULE'],
      ['corp/signed/manifests/1', '403 DENIED TAG_NOT_SIGNED'],
      [`corp/signed/manifests/${app.digest}`, '403 DENIED DIGEST_NOT_SIGNED'],
      [`corp/signed/blobs/${app.layers[0]}`, '403 DENIED NOT_ADMITTED'],
    ]) {
      assert.equal(told(await receive(`${gateway.url}/v2/${path}`, headers)), expected, JSON.stringify(headers));
    }
  }
  // Whether what is signed lists the digests was looked for, for both kinds once, and no header made it more.
  assert.deepEqual([registry.requests.length, registry.count('manifest')], [2, 2]);
});

test('no header of a client changes what an admitted image is, and none is sent to the upstream', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  for (const headers of SAID) {
    const answer = await receive(`${gateway.url}/v2/corp/app/manifests/1`, headers);
    assert.deepEqual([answer.status, answer.body], [200, app.bytes], JSON.stringify(headers));
  }
  const [layer] = app.layers;
  await receive(`${gateway.url}/v2/corp/app/blobs/${layer}`, { Authorization: 'Basic c2VjcmV0', Cookie: 'a=b' });
  for (const { headers } of registry.requests) {
    assert.deepEqual(
      Object.keys(headers).sort(),
      ['accept', 'accept-encoding', 'connection', 'host', 'user-agent'].filter((name) => name in headers),
    );
    assert.equal(headers.authorization, undefined);
    assert.equal(headers['user-agent'], 'docklock');
  }
});

/** `ns` names the upstream, which is addressing: the rule is that of the name that comes of it, and of one reading of it. */
for (const query of [
  'unsafeAllowUnsigned=true&mode=warn&policy=policy[0]',
  'ns=corp&ns=open',
  'ns=corp%00open',
  'ns=corp%2fopen',
  'ns=..%2fopen',
  'ns=OPEN',
  'ns=open%20',
  'ns[]=open',
]) {
  test(`the query ?${query} gives nobody the rule of another name`, async (t) => {
    const registry = await FakeRegistry.start(t);
    const rules = [{ images: 'open/**', unsafeAllowUnsigned: true }];
    const gateway = await TestGateway.start(t, { upstreams: { corp: registry, open: registry }, rules });
    registry.push('app', app, '1');
    assert.equal(told(await receive(`${gateway.url}/v2/app/manifests/1?${query}`)), '403 DENIED NO_RULE');
    assert.equal(registry.requests.length, 0);
    assert.equal(told(await receive(`${gateway.url}/v2/app/manifests/1?ns=open&${query}`)), '200');
  });
}
