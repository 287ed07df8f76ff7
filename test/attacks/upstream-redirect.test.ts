/** An upstream redirects us: to be sent its credentials elsewhere, to make us ask an inner machine, to drop TLS, or for ever. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import type { Credentials } from '../../upstream/credentials.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { makeAuthority } from '../support/tls-certificate.ts';
import { APP, bytesOf, clientOf, failing, V1 } from '../upstream/support/clients.ts';
import { internet, LOOPBACK, PRIVATE, PUBLIC, PUBLIC_TOO, under } from '../upstream/support/internet.ts';

const CI: Credentials = { kind: 'basic', username: 'ci', password: async () => 'hunter2' };
const BASIC = { kind: 'basic', username: 'ci', password: 'hunter2' } as const;
const LAYER = 'layer';

const NAMES = {
  'storage.acme.example': [[LOOPBACK]],
  'mixed.acme.example': [[PUBLIC_TOO, LOOPBACK]],
  'mapped.acme.example': [['::ffff:127.0.0.1']],
  'rebinding.acme.example': [[PUBLIC_TOO], [LOOPBACK]],
};

/** A registry at `from` that redirects every blob to `location`, asked for one with credentials. */
async function pull(t: TestContext, from: string, location: string): Promise<string> {
  const registry = await FakeRegistry.start(t, { address: from, auth: BASIC });
  const digest = registry.pushBlob(APP, Buffer.from(LAYER));
  registry.spoil({ kind: 'blob' }, { status: 307, headers: { location } }, 1);
  registry.spoil({ kind: 'blob' }, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, 1);
  const { client } = clientOf(t, registry.url, { credentials: CI, ...internet(NAMES) });
  const body = client.blob(APP, digest, { offset: 0, size: LAYER.length });
  await body.catch(() => undefined);
  assert.ok(registry.requests.at(-1)?.headers.authorization, 'the redirected request carried the credentials');
  return bytesOf(await body);
}

async function storage(t: TestContext, address: string): Promise<FakeRegistry> {
  const server = await FakeRegistry.start(t, { address });
  server.spoil({}, { status: 200, body: LAYER, headers: { 'set-cookie': 'session=1' } });
  return server;
}

for (const [what, host] of [
  ['written as it is', LOOPBACK],
  ['written as one number', '2130706433'],
  ['mapped into IPv6', '[::ffff:127.0.0.1]'],
  ['behind a name', 'storage.acme.example'],
  ['mapped into IPv6, behind a name', 'mapped.acme.example'],
  ['behind a name that has a public one too', 'mixed.acme.example'],
] as const) {
  test(`a public registry cannot redirect to this machine: its address ${what}`, async (t) => {
    const inner = await storage(t, LOOPBACK);
    await failing(pull(t, PUBLIC, `${under(host, inner.url)}/admin`), 'forbidden-target');
    assert.equal(inner.connections, 0);
  });
}

test('a public registry cannot redirect into the private network, a private one can', async (t) => {
  const inner = await storage(t, PRIVATE);
  await failing(pull(t, PUBLIC, `${inner.url}/blob`), 'forbidden-target');
  assert.equal(inner.connections, 0);
  assert.equal(await pull(t, PRIVATE, `${inner.url}/blob`), LAYER);
  assert.equal(await pull(t, LOOPBACK, `${inner.url}/blob`), LAYER);
});

test('a private registry cannot redirect to this machine', async (t) => {
  const inner = await storage(t, LOOPBACK);
  await failing(pull(t, PRIVATE, `${inner.url}/admin`), 'forbidden-target');
  assert.equal(inner.connections, 0);
});

test('a public host that a private registry redirects to cannot send us back into the private network', async (t) => {
  const inner = await storage(t, PRIVATE);
  const outside = await FakeRegistry.start(t, { address: PUBLIC });
  outside.spoil({}, { status: 302, headers: { location: `${inner.url}/admin` } });
  await failing(pull(t, PRIVATE, `${outside.url}/hop`), 'forbidden-target');
  assert.equal(outside.requests.length, 1);
  assert.equal(inner.connections, 0);
});

for (const host of [
  '169.254.169.254',
  '[::ffff:169.254.169.254]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '169.254.1.1',
  '0.0.0.0',
]) {
  test(`no registry, wherever it is, can redirect to ${host}`, async (t) => {
    for (const from of [PUBLIC, PRIVATE, LOOPBACK]) {
      await failing(pull(t, from, `http://${host}/latest/meta-data`), 'forbidden-target');
    }
  });
}

test('a name that turns to this machine between two lookups is caught at the second', async (t) => {
  const inner = await storage(t, LOOPBACK);
  const outside = await storage(t, PUBLIC_TOO);
  const registry = await FakeRegistry.start(t, { address: PUBLIC });
  const digest = registry.pushBlob(APP, Buffer.from(LAYER));
  const { client } = clientOf(t, registry.url, internet(NAMES));
  registry.spoil(
    { kind: 'blob' },
    { status: 307, headers: { location: `${under('rebinding.acme.example', outside.url)}/x` } },
    1,
  );
  assert.equal(await bytesOf(await client.blob(APP, digest, { offset: 0, size: LAYER.length })), LAYER);
  registry.spoil(
    { kind: 'blob' },
    { status: 307, headers: { location: `${under('rebinding.acme.example', inner.url)}/x` } },
    1,
  );
  await failing(client.blob(APP, digest, { offset: 0, size: LAYER.length }), 'forbidden-target');
  assert.equal(inner.connections, 0);
});

test('no credentials and no cookies go to another host, another port, or back after that', async (t) => {
  const outside = await storage(t, PUBLIC_TOO);
  assert.equal(await pull(t, PUBLIC, `${outside.url}/blob`), LAYER);
  const otherPort = await storage(t, PUBLIC);
  assert.equal(await pull(t, PUBLIC, `${otherPort.url}/blob`), LAYER);
  for (const { headers } of [...outside.requests, ...otherPort.requests]) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers.cookie, undefined);
  }
  const registry = await FakeRegistry.start(t, { address: PUBLIC, auth: BASIC });
  const digest = registry.pushBlob(APP, Buffer.from(LAYER));
  const hop = await FakeRegistry.start(t, { address: PUBLIC_TOO });
  hop.spoil({}, { status: 302, headers: { location: `${registry.url}/v2/chosen/by/hop` } });
  registry.spoil({ kind: 'blob' }, { status: 307, headers: { location: `${hop.url}/` } });
  const { client } = clientOf(t, registry.url, { credentials: CI, ...internet() });
  await client.blob(APP, digest, { offset: 0, size: LAYER.length }).catch(() => undefined);
  const back = registry.requests.at(-1);
  assert.equal(back?.path, '/v2/chosen/by/hop');
  assert.equal(back?.headers.authorization, undefined);
});

test('a redirect within the registry keeps the credentials', async (t) => {
  const registry = await FakeRegistry.start(t, { auth: BASIC });
  registry.push(APP, image(), 'v1');
  registry.spoil(
    { path: '/v2/library/app/manifests/v1' },
    { status: 301, headers: { location: '/v2/library/app/manifests/v2' } },
  );
  registry.push(APP, image(), 'v2');
  const { client } = clientOf(t, registry.url, { credentials: CI });
  assert.ok(await client.manifest(APP, V1));
});

test('a storage host that asks for credentials gets none, also when we know how to answer', async (t) => {
  for (const challenge of ['Basic realm="storage"', 'Bearer realm="REALM/token"']) {
    const outside = await FakeRegistry.start(t, { address: PUBLIC_TOO });
    const header = challenge.replace('REALM', outside.url);
    outside.spoil({ kind: 'other' }, { status: 401, headers: { 'www-authenticate': header } });
    outside.spoil({ kind: 'token' }, { status: 200, body: '{"token":"stolen"}' });
    const registry = await FakeRegistry.start(t, { address: PUBLIC, auth: BASIC });
    registry.push(APP, image(), 'v1');
    const { client } = clientOf(t, registry.url, { credentials: CI, tokenHosts: [PUBLIC_TOO], ...internet() });
    await client.manifest(APP, V1);
    registry.spoil({ kind: 'blob' }, { status: 307, headers: { location: `${outside.url}/stored` } });
    const digest = digestOf(Buffer.from(LAYER));
    await failing(client.blob(APP, digest, { offset: 0, size: LAYER.length }), 'denied');
    assert.equal(registry.count('blob'), 1);
    assert.deepEqual(
      outside.requests.map(({ path, headers }) => [path, headers.authorization]),
      [['/stored', undefined]],
    );
  }
});

test('https does not become http on the way', async (t) => {
  const ca = makeAuthority('company');
  const plain = await storage(t, LOOPBACK);
  const registry = await FakeRegistry.start(t, { tls: ca.issue([LOOPBACK]) });
  const { client } = clientOf(t, registry.url, { ca: ca.pem });
  registry.spoil({}, { status: 307, headers: { location: `${plain.url}/blob` } });
  await failing(client.manifest(APP, V1), 'forbidden-target');
  await failing(client.blob(APP, digestOf(Buffer.from(LAYER)), { offset: 0, size: LAYER.length }), 'forbidden-target');
  assert.equal(plain.connections, 0);
});

test('redirects without end are given up after five', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.spoil({}, { status: 302, headers: { location: '/v2/library/app/manifests/again' } });
  const { client } = clientOf(t, registry.url);
  await failing(client.manifest(APP, V1), 'bad-answer');
  assert.equal(registry.requests.length, 6);
});

for (const [location, failure] of [
  [undefined, 'bad-answer'],
  ['http://[broken', 'bad-answer'],
  [`/${'x'.repeat(9000)}`, 'bad-answer'],
  ['ftp://files.example/blob', 'forbidden-target'],
  ['file:///etc/passwd', 'forbidden-target'],
  ['unix:/var/run/docker.sock:/images/json', 'forbidden-target'],
  ['http://user:secret@127.0.0.1/blob', 'forbidden-target'],
] as const) {
  test(`a redirect to ${location?.slice(0, 40) ?? 'nowhere'} is ${failure}`, async (t) => {
    const registry = await FakeRegistry.start(t);
    registry.spoil({}, { status: 307, headers: { location } });
    const { client } = clientOf(t, registry.url);
    await failing(client.manifest(APP, V1), failure);
    assert.equal(registry.requests.length, 1);
  });
}

test('the link to the next page of tags is not followed, wherever it leads (CVE-2026-88887)', async (t) => {
  const outside = await storage(t, LOOPBACK);
  const registry = await FakeRegistry.start(t, { auth: BASIC });
  registry.push(APP, image(), 'a');
  registry.spoil(
    { kind: 'tags' },
    { status: 200, body: '{"tags":["a"]}', headers: { link: `<${outside.url}/v2/next>; rel="next"` } },
  );
  const { client } = clientOf(t, registry.url, { credentials: CI });
  assert.deepEqual(await client.tags(APP, {}), { tags: ['a'], more: true });
  assert.equal(outside.connections, 0);
});
