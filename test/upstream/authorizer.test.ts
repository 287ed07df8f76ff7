import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseReference, parseRepositoryName } from '../../oci/reference.ts';
import type { Credentials } from '../../upstream/credentials.ts';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import type { FakeAuth } from '../support/registry-auth.ts';
import { APP, clientOf, failing, type TestClient, V1 } from './support/clients.ts';

const CI: Credentials = { kind: 'basic', username: 'ci', password: async () => 'hunter2' };
const LOCKED = { kind: 'bearer', username: 'ci', password: 'hunter2' } as const;
const OTHER = parseRepositoryName('library/other');

async function scene(
  t: TestContext,
  auth: FakeAuth,
  credentials: Credentials = CI,
): Promise<TestClient & { registry: FakeRegistry }> {
  const registry = await FakeRegistry.start(t, { auth });
  registry.push(APP, image(), 'v1');
  registry.push(OTHER, image({ layers: ['other'] }), 'v1');
  return { registry, ...clientOf(t, registry.url, { credentials }) };
}

test('a Bearer challenge is met with a token for exactly that repository, to read', async (t) => {
  const { registry, client } = await scene(t, LOCKED);
  assert.ok(await client.manifest(APP, V1));
  const asked = registry.requests.find(({ kind }) => kind === 'token');
  assert.equal(asked?.method, 'GET');
  assert.equal(asked?.query.get('scope'), 'repository:library/app:pull');
  assert.equal(asked?.query.get('service'), 'fake');
  assert.equal(asked?.headers.authorization, `Basic ${Buffer.from('ci:hunter2').toString('base64')}`);
});

test('without credentials a token is asked for anonymously', async (t) => {
  const { registry, client } = await scene(t, { kind: 'bearer' }, { kind: 'anonymous' });
  assert.ok(await client.manifest(APP, V1));
  assert.equal(registry.requests.find(({ kind }) => kind === 'token')?.headers.authorization, undefined);
});

test('a token is kept per scope, and known ones are sent unasked', async (t) => {
  const { registry, client } = await scene(t, LOCKED);
  await client.manifest(APP, V1);
  await client.manifest(APP, V1);
  await client.tags(APP, {});
  assert.equal(registry.count('token'), 1);
  await client.manifest(OTHER, V1);
  assert.equal(registry.count('token'), 2);
  // One challenge in all: the second scope's token was asked for before the request.
  assert.equal(registry.count('manifest') + registry.count('tags'), 1 + 4);
});

test('a token is renewed before it expires', async (t) => {
  const { registry, client, pace } = await scene(t, { ...LOCKED, expiresIn: 300 });
  await client.manifest(APP, V1);
  pace.pass(269_000);
  await client.manifest(APP, V1);
  assert.equal(registry.count('token'), 1);
  pace.pass(2000);
  await client.manifest(APP, V1);
  assert.equal(registry.count('token'), 2);
});

test('many who need one token ask for it once', async (t) => {
  const { registry, client } = await scene(t, LOCKED);
  await client.ping().catch(() => undefined);
  const before = registry.count('token');
  const held = gate();
  registry.spoil({ kind: 'token' }, { hangUntil: held.opened });
  const arrived = registry.arrival({ kind: 'token' });
  const all = Promise.all(Array.from({ length: 20 }, () => client.manifest(APP, V1)));
  await arrived;
  held.open();
  await all;
  assert.equal(registry.count('token'), before + 1);
});

test('a token revoked upstream is replaced once, and a fresh one refused is denied', async (t) => {
  const { registry, client } = await scene(t, LOCKED);
  await client.manifest(APP, V1);
  registry.revokeTokens();
  assert.ok(await client.manifest(APP, V1));
  assert.equal(registry.count('token'), 2);
  registry.spoil(
    { kind: 'manifest' },
    { status: 401, headers: { 'www-authenticate': `Bearer realm="${registry.url}/token"` } },
  );
  const error = await failing(client.manifest(APP, V1), 'denied');
  assert.equal(error.status, 401);
  assert.equal(error.outage, false);
});

test('a challenge that spells the repository otherwise is believed when it only reads', async (t) => {
  const spelt = await scene(t, { ...LOCKED, scope: () => 'repository:mirror/app:pull' });
  assert.ok(await spelt.client.manifest(APP, V1));
  assert.ok(await spelt.client.manifest(APP, V1));
  assert.equal(spelt.registry.count('token'), 1);
});

test('a challenge that asks for more than reading gets a token for reading', async (t) => {
  for (const scope of [
    'repository:library/app:pull,push',
    'registry:catalog:*',
    'repository:a:pull repository:b:pull',
  ]) {
    const { registry, client } = await scene(t, { ...LOCKED, scope: () => scope });
    await failing(client.manifest(APP, V1), 'denied');
    const asked = registry.requests.filter(({ kind }) => kind === 'token').map(({ query }) => query.get('scope'));
    assert.deepEqual(asked, ['repository:library/app:pull']);
  }
});

test('a Basic challenge is met with the password, and from then on unasked', async (t) => {
  const { registry, client } = await scene(t, { kind: 'basic', username: 'ci', password: 'hunter2' });
  assert.ok(await client.manifest(APP, V1));
  assert.ok(await client.manifest(APP, V1));
  assert.equal(registry.count('manifest'), 3);
});

test('a password that changed is read again when the old one is refused', async (t) => {
  let password = 'old';
  const credentials: Credentials = { kind: 'basic', username: 'ci', password: async () => password };
  const { client } = await scene(t, { kind: 'basic', username: 'ci', password: 'hunter2' }, credentials);
  await failing(client.manifest(APP, V1), 'denied');
  password = 'hunter2';
  assert.ok(await client.manifest(APP, V1));
});

test('a wrong password, or none, is denied', async (t) => {
  const wrong: Credentials = { kind: 'basic', username: 'ci', password: async () => 'wrong' };
  for (const auth of [LOCKED, { ...LOCKED, kind: 'basic' as const }]) {
    for (const credentials of [wrong, { kind: 'anonymous' } as const]) {
      const { client } = await scene(t, auth, credentials);
      const error = await failing(client.manifest(APP, V1), 'denied');
      assert.equal(error.status, 401);
    }
  }
});

test('a password that cannot be read is denied: never tried without', async (t) => {
  const unreadable: Credentials = {
    kind: 'basic',
    username: 'ci',
    password: () => Promise.reject(new Error('no such file')),
  };
  const { registry, client } = await scene(t, { kind: 'bearer' }, unreadable);
  await failing(client.manifest(APP, V1), 'denied');
  assert.equal(registry.count('token'), 0);
});

test('what a token server says is told apart', async (t) => {
  for (const [fault, failure] of [
    [{ status: 403 }, 'denied'],
    [{ status: 404 }, 'bad-answer'],
    [{ status: 302, headers: { location: 'https://elsewhere.example/' } }, 'bad-answer'],
    [{ status: 503 }, 'server-error'],
    [{ status: 429 }, 'rate-limited'],
    [{ reset: true }, 'unreachable'],
    [{ body: 'no JSON' }, 'bad-answer'],
    [{ body: '{}' }, 'bad-answer'],
    [{ body: '{"token":"two\\r\\nlines: of"}' }, 'bad-answer'],
    [{ body: '{"token":17}' }, 'bad-answer'],
    [{ body: JSON.stringify({ token: 'x'.repeat(100_000) }) }, 'bad-answer'],
  ] as const) {
    const { registry, client } = await scene(t, LOCKED);
    registry.spoil({ kind: 'token' }, fault);
    await failing(client.manifest(APP, V1), failure);
  }
});

test('an upstream that is back after a refused token server goes on as if nothing had been', async (t) => {
  const { registry, client } = await scene(t, LOCKED);
  registry.spoil({ kind: 'token' }, { status: 503 }, 1);
  assert.ok(await client.manifest(APP, V1));
  assert.equal(await client.manifest(APP, parseReference('missing')), undefined);
});

/** One wrong answer, of a login page in between or of an upstream in trouble, must not shut an upstream out until a restart. */
for (const [what, challenge] of [
  ['for Basic, without a password', () => 'Basic realm="x"'],
  ['whose token server knows nothing', (url: string) => `Bearer realm="${url}/nothing",service="x"`],
] as const) {
  test(`a challenge ${what} is denied once, and the upstream is asked again`, async (t) => {
    const registry = await FakeRegistry.start(t);
    registry.push(APP, image(), 'v1');
    const { client } = clientOf(t, registry.url, { credentials: { kind: 'anonymous' } });
    registry.spoil({ kind: 'manifest' }, { status: 401, headers: { 'www-authenticate': challenge(registry.url) } }, 1);
    await assert.rejects(client.manifest(APP, V1), { name: 'UpstreamError' });
    assert.ok(await client.manifest(APP, V1));
  });
}

test('a token server that closes is found out by the next challenge', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client, pace } = clientOf(t, registry.url, { credentials: { kind: 'anonymous' } });
  const challenge = `Bearer realm="${registry.url}/tokens",service="x"`;
  registry.spoil({ kind: 'manifest' }, { status: 401, headers: { 'www-authenticate': challenge } }, 1);
  registry.spoil({ path: '/tokens' }, { status: 200, body: '{"token":"t","expires_in":300}' }, 1);
  assert.ok(await client.manifest(APP, V1));
  pace.pass(300_000);
  await assert.rejects(client.manifest(APP, V1), { name: 'UpstreamError' });
  assert.ok(await client.manifest(APP, V1), 'no challenge, no token');
});
