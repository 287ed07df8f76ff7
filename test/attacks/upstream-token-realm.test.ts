/** An upstream, or whoever speaks for it, names a token realm of its choice: to be sent the credentials, or to make us ask an inner machine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Credentials } from '../../upstream/credentials.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { makeAuthority } from '../support/tls-certificate.ts';
import { APP, clientOf, failing, V1 } from '../upstream/support/clients.ts';
import { internet, LOOPBACK, PRIVATE, PUBLIC, PUBLIC_TOO, under } from '../upstream/support/internet.ts';

const ANONYMOUS: Credentials = { kind: 'anonymous' };
const CI: Credentials = { kind: 'basic', username: 'ci', password: async () => 'hunter2' };

const NAMES = {
  'registry.acme.example': [[PUBLIC]],
  'auth.acme.example': [[LOOPBACK]],
  'mixed.acme.example': [[PUBLIC_TOO, LOOPBACK]],
  'mapped.acme.example': [['::ffff:127.0.0.1']],
  'inner.acme.example': [[PRIVATE]],
  'cloud.acme.example': [['169.254.169.254']],
};

/** Credentials, or how they are made once the registry's host is known. */
type Given = Credentials | ((host: string) => Promise<Credentials>);

interface Scene {
  readonly realm: FakeRegistry;
  readonly ask: (realmUrl: string, credentials: Given, tokenHosts?: readonly string[]) => Promise<unknown>;
}

/** A registry at `upstream`, and a token server at `address` that takes whatever it is sent. */
async function scene(t: TestContext, upstream: string, address: string): Promise<Scene> {
  const realm = await FakeRegistry.start(t, { address });
  realm.spoil({}, { status: 200, body: '{"token":"stolen"}' });
  const ask = async (realmUrl: string, given: Given, tokenHosts: readonly string[] = []) => {
    const registry = await FakeRegistry.start(t, { address: upstream, auth: { kind: 'bearer', realm: realmUrl } });
    registry.push(APP, image(), 'v1');
    const url = upstream === PUBLIC ? under('registry.acme.example', registry.url) : registry.url;
    const credentials = typeof given === 'function' ? await given(new URL(url).host) : given;
    const { client } = clientOf(t, url, { credentials, tokenHosts, ...internet(NAMES) });
    return client.manifest(APP, V1);
  };
  return { realm, ask };
}

for (const [what, host] of [
  ['written as it is', LOOPBACK],
  ['written as one number', '2130706433'],
  ['written in hex', '0x7f.1'],
  ['mapped into IPv6', '[::ffff:127.0.0.1]'],
  ['behind a name', 'auth.acme.example'],
  ['mapped into IPv6, behind a name', 'mapped.acme.example'],
  ['behind a name that has a public one too', 'mixed.acme.example'],
] as const) {
  test(`a public registry cannot name a token realm on this machine: its address ${what}`, async (t) => {
    const { realm, ask } = await scene(t, PUBLIC, LOOPBACK);
    const url = `${under(host, realm.url)}/token`;
    await failing(ask(url, ANONYMOUS), 'forbidden-target');
    await failing(ask(url, CI, [new URL(url).hostname]), 'forbidden-target');
    assert.equal(realm.connections, 0);
  });
}

test('the real resolver is guarded too: localhost is this machine', async (t) => {
  const realm = await FakeRegistry.start(t);
  const registry = await FakeRegistry.start(t, {
    address: PUBLIC,
    auth: { kind: 'bearer', realm: `${under('localhost', realm.url)}/token` },
  });
  const { client } = clientOf(t, registry.url, { classOf: internet().classOf });
  await failing(client.manifest(APP, V1), 'forbidden-target');
  assert.equal(realm.connections, 0);
});

test('a public registry cannot name a token realm in the private network, a private one can', async (t) => {
  const { realm, ask } = await scene(t, PUBLIC, PRIVATE);
  for (const host of [PRIVATE, 'inner.acme.example']) {
    await failing(ask(`${under(host, realm.url)}/token`, ANONYMOUS), 'forbidden-target');
  }
  assert.equal(realm.connections, 0);
  const inner = await scene(t, PRIVATE, PRIVATE);
  await failing(inner.ask(`${inner.realm.url}/token`, ANONYMOUS), 'denied');
  assert.equal(inner.realm.count('token'), 1, 'asked, and its token refused by the registry');
});

for (const host of [
  '169.254.169.254',
  '[fd00:ec2::254]',
  '[::ffff:169.254.169.254]',
  'cloud.acme.example',
  '100.100.100.200',
  '0.0.0.0',
  '[::]',
]) {
  test(`no registry, wherever it is, can name ${host} as token realm`, async (t) => {
    for (const upstream of [PUBLIC, PRIVATE, LOOPBACK]) {
      const { ask } = await scene(t, upstream, LOOPBACK);
      await failing(ask(`http://${host}/latest/meta-data`, ANONYMOUS), 'forbidden-target');
    }
  });
}

test('credentials are not sent to a token realm of a stranger, though anyone may ask it anonymously', async (t) => {
  const { realm, ask } = await scene(t, PUBLIC, PUBLIC_TOO);
  const error = await failing(ask(`${realm.url}/token`, CI), 'forbidden-target');
  assert.match(error.message, /tokenHosts/);
  assert.equal(realm.connections, 0);
  await failing(ask(`${realm.url}/token`, ANONYMOUS), 'denied');
  assert.equal(realm.requests[0]?.headers.authorization, undefined);
});

test('a refresh token is not sent to a token realm of a stranger either', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const { realm, ask } = await scene(t, PUBLIC, PUBLIC_TOO);
  const loggedIn = async (host: string): Promise<Credentials> => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { identitytoken: 'refresh' } } }));
    return { kind: 'docker-config', folder };
  };
  await failing(ask(`${realm.url}/token`, loggedIn), 'forbidden-target');
  assert.equal(realm.connections, 0);
  await failing(ask(`${realm.url}/token`, loggedIn, [PUBLIC_TOO]), 'denied');
  assert.equal(realm.requests[0]?.method, 'POST', 'where it is allowed, it is sent');
});

test('an https registry cannot name a token realm without TLS', async (t) => {
  const ca = makeAuthority('company');
  const realm = await FakeRegistry.start(t);
  const auth = { kind: 'bearer', realm: `${realm.url}/token` } as const;
  const registry = await FakeRegistry.start(t, { tls: ca.issue(['127.0.0.1']), auth });
  for (const credentials of [CI, ANONYMOUS]) {
    const { client } = clientOf(t, registry.url, { ca: ca.pem, credentials, tokenHosts: ['127.0.0.1'] });
    await failing(client.manifest(APP, V1), 'forbidden-target');
  }
  assert.equal(realm.connections, 0);
});

test('a host that the operator listed is sent the credentials', async (t) => {
  const { realm, ask } = await scene(t, PUBLIC, PUBLIC_TOO);
  await failing(ask(`${realm.url}/token`, CI, [PUBLIC_TOO]), 'denied');
  assert.equal(realm.requests[0]?.headers.authorization, `Basic ${Buffer.from('ci:hunter2').toString('base64')}`);
});
