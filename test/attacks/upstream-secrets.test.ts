/** Whatever goes wrong, no error and no log line holds a credential, a token, or the signature in a redirected URL. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import type { Credentials } from '../../upstream/credentials.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import type { FakeAuth } from '../support/registry-auth.ts';
import type { Fault } from '../support/registry-fault.ts';
import { APP, bytesOf, clientOf, type TestClient, V1 } from '../upstream/support/clients.ts';

const CI: Credentials = { kind: 'basic', username: 'ci', password: async () => 'hunter2' };
const BASIC_TEXT = Buffer.from('ci:hunter2').toString('base64');
const SECRETS = new RegExp(['hunter2', BASIC_TEXT, 'secret-token', 'secret-signature', 'echoed-secret'].join('|'));

const AUTHS: Readonly<Record<string, FakeAuth>> = {
  basic: { kind: 'basic', username: 'ci', password: 'hunter2' },
  bearer: { kind: 'bearer', username: 'ci', password: 'hunter2' },
};

const ECHO = { body: `you sent ${BASIC_TEXT}, echoed-secret`, headers: { 'x-echo': `${BASIC_TEXT} echoed-secret` } };

const FAULTS: Readonly<Record<string, Fault>> = {
  'a 400 that echoes us': { status: 400, ...ECHO },
  'a 403 that echoes us': { status: 403, ...ECHO },
  'a 500 that echoes us': { status: 500, ...ECHO },
  'a 503 that echoes us': { status: 503, ...ECHO },
  'a 429': { status: 429, ...ECHO },
  'a reset': { reset: true },
  'a cut body': { cutAfter: 2 },
  'a time-out': { hangUntil: new Promise(() => undefined) },
  'no HTTP that echoes us': { raw: `echoed-secret ${BASIC_TEXT}\r\n\r\n` },
  'a huge header that echoes us': { raw: `HTTP/1.1 200 OK\r\nx: ${BASIC_TEXT.repeat(2000)}\r\n\r\n` },
  'a wrong length': { headers: { 'content-length': '1' } },
  'a compressed body': { headers: { 'content-encoding': 'gzip' } },
  'a redirect downwards': { status: 307, headers: { location: 'ftp://ci:hunter2@files.example/?secret-signature' } },
  'a redirect inwards': { status: 307, headers: { location: 'http://169.254.169.254/?secret-signature' } },
  'a redirect to nobody': { status: 307, headers: { location: 'http://127.0.0.1:1/?secret-signature' } },
  'a challenge that echoes us': {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="ftp://x/?${BASIC_TEXT}"` },
  },
};

/** All that a logger could print of an error: own and hidden properties, causes, the lot. */
function shown(value: unknown): string {
  const causes: unknown[] = [];
  for (let at = value; at instanceof Error; at = at.cause) {
    causes.push(at.message, at.stack, JSON.stringify(at), Object.getOwnPropertyDescriptors(at));
  }
  return inspect([value, ...causes], { depth: 12, showHidden: true, maxStringLength: 100_000 });
}

async function scene(t: TestContext, auth: FakeAuth, cdn = false): Promise<TestClient & { registry: FakeRegistry }> {
  const registry = await FakeRegistry.start(t, { auth, cdn });
  registry.push(APP, image(), 'v1');
  return {
    registry,
    ...clientOf(t, registry.url, { credentials: CI, limits: { connect: 60, firstByte: 60, idle: 60 } }),
  };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail('expected a failure'),
    (error: unknown) => error,
  );
}

for (const [scheme, auth] of Object.entries(AUTHS)) {
  for (const [what, fault] of Object.entries(FAULTS)) {
    test(`${scheme}: ${what} tells no secret`, async (t) => {
      const { registry, client, log } = await scene(t, auth);
      await client.manifest(APP, V1);
      const stop = registry.spoil({ kind: 'manifest' }, fault);
      const error = await failureOf(client.manifest(APP, V1));
      assert.doesNotMatch(shown(error), SECRETS);
      stop();
      registry.spoil({ kind: 'blob' }, fault);
      const blob = client.blob(APP, image().layers[0] ?? assert.fail(), { offset: 0, size: 7 });
      assert.doesNotMatch(shown(await failureOf(blob.then(bytesOf))), SECRETS);
      assert.ok(log.lines.length > 0);
      assert.doesNotMatch(shown(log.lines), SECRETS);
    });
  }
}

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`from the storage host, ${what} tells no secret`, async (t) => {
    const { registry, client, log } = await scene(t, { kind: 'basic', username: 'ci', password: 'hunter2' }, true);
    registry.spoil({ kind: 'cdn' }, fault);
    const blob = client.blob(APP, image().layers[0] ?? assert.fail(), { offset: 0, size: 7 });
    assert.doesNotMatch(shown([await failureOf(blob.then(bytesOf)), log.lines]), SECRETS);
    assert.ok(registry.count('cdn') > 0);
  });
}

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`from the token server, ${what} tells no secret`, async (t) => {
    const { registry, client, log } = await scene(t, { kind: 'bearer', username: 'ci', password: 'hunter2' });
    registry.spoil({ kind: 'token' }, fault);
    assert.doesNotMatch(shown([await failureOf(client.manifest(APP, V1)), log.lines]), SECRETS);
  });
}

test('a client that is inspected shows no secret', async (t) => {
  const { client } = await scene(t, { kind: 'bearer', username: 'ci', password: 'hunter2' });
  await client.manifest(APP, V1);
  assert.doesNotMatch(inspect(client, { depth: 20, showHidden: true }), SECRETS);
});
