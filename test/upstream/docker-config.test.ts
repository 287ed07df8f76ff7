import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Login } from '../../upstream/credentials.ts';
import { readDockerLogin } from '../../upstream/docker-config.ts';
import { Secret } from '../../upstream/secret.ts';
import { failing } from './support/clients.ts';

const HUB = 'https://index.docker.io/v1/';
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

async function folderWith(t: TestContext, config: string | object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return folder;
}

function revealed(login: Login): unknown {
  switch (login.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'password':
      return `${login.username}:${login.password.reveal()}`;
    case 'refresh-token':
      return `token ${login.token.reveal()}`;
  }
}

const FOUND: readonly [what: string, host: string, config: object, login: string][] = [
  ['the host itself', 'ghcr.io', { auths: { 'ghcr.io': auth('ci:one') } }, 'ci:one'],
  ['the host with its port', 'corp:5000', { auths: { corp: auth('ci:no'), 'corp:5000': auth('ci:two') } }, 'ci:two'],
  ['a host written as URL', 'ghcr.io', { auths: { 'https://ghcr.io': auth('ci:three') } }, 'ci:three'],
  ['a host written as v1 URL', 'ghcr.io', { auths: { 'https://ghcr.io/v1/': auth('ci:four') } }, 'ci:four'],
  ["Docker Hub's old key", 'registry-1.docker.io', { auths: { [HUB]: auth('me:five') } }, 'me:five'],
  ['a password with colons', 'ghcr.io', { auths: { 'ghcr.io': auth('ci:a:b:c') } }, 'ci:a:b:c'],
  ['a padded entry', 'ghcr.io', { auths: { 'ghcr.io': auth('ci:six\0\0') } }, 'ci:six'],
  ['an identity token', 'ghcr.io', { auths: { 'ghcr.io': { ...auth('ci:'), identitytoken: 'seven' } } }, 'token seven'],
  ['no entry for the host', 'ghcr.io', { auths: { 'quay.io': auth('ci:no') } }, 'anonymous'],
  ['an emptied entry', 'ghcr.io', { auths: { 'ghcr.io': {} } }, 'anonymous'],
  ['an empty file', 'ghcr.io', {}, 'anonymous'],
  ['a helper of the host', 'ghcr.io', { credHelpers: { 'ghcr.io': 'cloud' }, credsStore: 'desktop' }, 'cloud:ghcr.io'],
  ['the store of all hosts', 'ghcr.io', { credsStore: 'desktop', auths: { 'ghcr.io': {} } }, 'desktop:ghcr.io'],
  ["the store, for Docker Hub's old key", 'registry-1.docker.io', { credsStore: 'desktop' }, `desktop:${HUB}`],
  [
    'a store that has none, then the file',
    'ghcr.io',
    { credsStore: 'empty', auths: { 'ghcr.io': auth('ci:file') } },
    'ci:file',
  ],
  ['a store that has a token', 'ghcr.io', { credsStore: 'token' }, 'token ghcr.io'],
];

const helper = async (name: string, server: string) => {
  if (name === 'empty') return undefined;
  return { username: name === 'token' ? '<token>' : name, secret: new Secret(server) };
};

for (const [what, host, config, login] of FOUND) {
  test(`docker's config.json: ${what}`, async (t) => {
    const folder = await folderWith(t, config);
    assert.equal(revealed(await readDockerLogin({ folder, host, runHelper: helper })), login);
  });
}

test('no config.json at all is anonymous', async () => {
  assert.deepEqual(await readDockerLogin({ folder: join(tmpdir(), 'docklock-no-such-folder'), host: 'ghcr.io' }), {
    kind: 'anonymous',
  });
});

for (const [what, config] of [
  ['is not JSON', '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"'],
  ['is a list', '[]'],
  ['has an entry without a user', { auths: { 'ghcr.io': auth(':hunter2') } }],
  ['has an entry that is no pair', { auths: { 'ghcr.io': auth('hunter2') } }],
  ['has an entry that is no text', { auths: { 'ghcr.io': { auth: 7 } } }],
  ['names a helper by a number', { credsStore: 7 }],
  ['names a helper by a path', { credsStore: '../../tmp/evil' }],
  ['names a helper with arguments', { credHelpers: { 'ghcr.io': 'a b; rm' } }],
] as const) {
  test(`a config.json that ${what} is denied, not anonymous, and its text is not told`, async (t) => {
    const folder = await folderWith(t, config);
    const error = await failing(readDockerLogin({ folder, host: 'ghcr.io' }), 'denied');
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hunter2|c2VjcmV0/);
  });
}
