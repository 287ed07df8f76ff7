import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../config/read.ts';
import { folderWith, read } from './config-folder.ts';
import { CERTIFICATE, PRIVATE_KEY } from './pem.ts';

const HOUR = 3_600_000;
const KEY_ID = '2f3b1a7c5d9e8f604132a4b5c6d7e8f90123456789abcdef0123456789abcdef';

/** Section 4 of the design, with what this version has. */
const DESIGN = `
listen: 127.0.0.1:5000
data: ./docklock-data
cache: { maxSize: 50GiB }

upstreams:
  docker.io:
    url: https://registry-1.docker.io
    default: true
  ghcr.io: {}
  corp:
    url: http://127.0.0.1:5001
    ca: ./corp-ca.crt
    credentials: { username: ci, passwordFile: ./corp.password }

authorities:
  dct:        { type: notary, server: https://notary.example, ca: ./ca.crt, gun: "{registry}/{repository}", pin: { rootKeys: [${KEY_ID}] } }
  org:        { type: notary, server: https://org.example/, pin: { ca: ./ca.crt }, signers: [alice, targets/bob], requireReleases: true, refresh: 1m }

policy:
  - images: "docker.io/library/*"
    require: [dct, org]
    freshness: { maxAge: 24h }
  - images: ["ghcr.io/**", "corp/*:v*"]
    require: { any: [org, dct] }
    mode: warn
  - images: "corp/scratch/**"
    unsafeAllowUnsigned: true
`;

test('the example of the design is read whole', async (t) => {
  const files = { 'ca.crt': CERTIFICATE, 'corp-ca.crt': CERTIFICATE, 'corp.password': 'secret\n' };
  const folder = await folderWith(t, { ...files, 'docklock.yaml': DESIGN });
  const config = await readConfig(join(folder, 'docklock.yaml'));
  const anonymous = { kind: 'anonymous' };
  assert.deepEqual(config.listen, [{ address: '127.0.0.1', port: 5000 }]);
  assert.equal(config.data, join(folder, 'docklock-data'));
  assert.deepEqual(config.cache, { maxSize: 50 * 1024 ** 3 });
  assert.equal(config.defaultUpstream, 'docker.io');
  assert.deepEqual(config.upstreams, [
    {
      name: 'docker.io',
      url: 'https://registry-1.docker.io',
      credentials: anonymous,
      hosts: [],
      tokenHosts: [],
    },
    { name: 'ghcr.io', url: 'https://ghcr.io', credentials: anonymous, hosts: [], tokenHosts: [] },
    {
      name: 'corp',
      url: 'http://127.0.0.1:5001',
      ca: join(folder, 'corp-ca.crt'),
      credentials: { kind: 'basic', username: 'ci', password: { kind: 'file', path: join(folder, 'corp.password') } },
      hosts: [],
      tokenHosts: [],
    },
  ]);
  assert.deepEqual(config.authorities, [
    {
      kind: 'notary',
      name: 'dct',
      server: 'https://notary.example',
      ca: join(folder, 'ca.crt'),
      gun: '{registry}/{repository}',
      pin: { kind: 'rootKeys', ids: [KEY_ID] },
      requireReleases: false,
      signers: [],
      credentials: anonymous,
      refresh: 10_000,
    },
    {
      kind: 'notary',
      name: 'org',
      server: 'https://org.example',
      gun: '{registry}/{repository}',
      pin: { kind: 'ca', path: join(folder, 'ca.crt') },
      requireReleases: true,
      signers: ['alice', 'bob'],
      credentials: anonymous,
      refresh: 60_000,
    },
  ]);
  assert.deepEqual(config.policy, [
    {
      images: ['docker.io/library/*'],
      require: { kind: 'all', authorities: ['dct', 'org'] },
      mode: 'enforce',
      unsafeAllowUnsigned: false,
      noRollback: false,
      maxAge: 24 * HOUR,
      line: 21,
    },
    {
      images: ['ghcr.io/**', 'corp/*:v*'],
      require: { kind: 'any', authorities: ['org', 'dct'] },
      mode: 'warn',
      unsafeAllowUnsigned: false,
      noRollback: false,
      maxAge: 72 * HOUR,
      line: 24,
    },
    {
      images: ['corp/scratch/**'],
      require: undefined,
      mode: 'enforce',
      unsafeAllowUnsigned: true,
      noRollback: false,
      maxAge: 72 * HOUR,
      line: 27,
    },
  ]);
});

test('an empty file is a configuration with every default, under which nothing can be pulled', async (t) => {
  const folder = await folderWith(t, { 'docklock.yaml': '# nothing yet\n' });
  assert.deepEqual(await readConfig(join(folder, 'docklock.yaml')), {
    listen: [{ address: '127.0.0.1', port: 5000 }],
    data: join(folder, 'docklock-data'),
    cache: { maxSize: 53_687_091_200 },
    upstreams: [],
    defaultUpstream: undefined,
    authorities: [],
    policy: [],
    pullWindow: 900_000,
    log: { level: 'info' },
    shutdown: { drain: 30_000 },
    warnings: ['upstreams: there is none, so nothing can be pulled'],
  });
});

test('a section of which every line is a comment is left out', async (t) => {
  const config = await read(t, 'cache:\nupstreams:\n  ghcr.io:\nauthorities:\n  # dct: {}\npolicy:\nlog:\nshutdown:\n');
  assert.deepEqual(
    config.upstreams.map(({ url }) => url),
    ['https://ghcr.io'],
  );
  assert.deepEqual(config.policy, []);
});

const LISTENERS: readonly [written: string, read: unknown][] = [
  ['"[::1]:5000"', [{ address: '::1', port: 5000 }]],
  ['Gateway.Example:0', [{ address: 'gateway.example', port: 0 }]],
  ['{ address: 0.0.0.0:443, mirror: false }', [{ address: '0.0.0.0', port: 443 }]],
  [
    '[127.0.0.1:5000, { address: 127.0.0.1:5001 }, "[::1]:5000", 127.0.0.1:0, 127.0.0.1:0]',
    [
      { address: '127.0.0.1', port: 5000 },
      { address: '127.0.0.1', port: 5001 },
      { address: '::1', port: 5000 },
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.1', port: 0 },
    ],
  ],
];

for (const [written, expected] of LISTENERS) {
  test(`listen: ${written}`, async (t) => assert.deepEqual((await read(t, `listen: ${written}`)).listen, expected));
}

test('a listener has its certificate, key and the CA of its clients', async (t) => {
  const files = { 'a.crt': CERTIFICATE, 'a.key': PRIVATE_KEY };
  const folder = await folderWith(t, {
    ...files,
    'docklock.yaml': 'listen: { address: 0.0.0.0:443, tls: { cert: ./a.crt, key: a.key, clientCa: ./a.crt } }',
  });
  const { listen, warnings } = await readConfig(join(folder, 'docklock.yaml'));
  const cert = join(folder, 'a.crt');
  assert.deepEqual(listen, [
    { address: '0.0.0.0', port: 443, tls: { cert, key: join(folder, 'a.key'), clientCa: cert } },
  ]);
  assert.equal(
    warnings.some((warning) => warning.startsWith('listen')),
    false,
  );
});

test('Docker Hub is where its registry is, unless the configuration says otherwise', async (t) => {
  const urls = async (yaml: string) => (await read(t, yaml)).upstreams.map(({ url }) => url);
  assert.deepEqual(await urls('upstreams: { docker.io: {} }'), ['https://registry-1.docker.io']);
  assert.deepEqual(await urls('upstreams: { docker.io: { url: "https://Mirror.Example:443/hub/" } }'), [
    'https://mirror.example/hub',
  ]);
  assert.deepEqual(await urls('upstreams: { "constructor": {}, "registry.example:5000": {} }'), [
    'https://constructor',
    'https://registry.example:5000',
  ]);
});

test("passwords come from files, from the environment, or from Docker's own configuration", async (t) => {
  const yaml = `
upstreams:
  a.example: { credentials: { username: ci, passwordEnv: A_PASSWORD }, hosts: [A.Example], tokenHosts: [Auth.example, auth.example:8443] }
  b.example: { credentials: docker-config }
authorities:
  dct: { type: notary, server: https://n.example, pin: tofu, credentials: { username: ci, passwordEnv: A_PASSWORD } }
`;
  const { upstreams, authorities } = await read(t, yaml, {}, { A_PASSWORD: 'x' });
  const basic = { kind: 'basic', username: 'ci', password: { kind: 'env', name: 'A_PASSWORD' } };
  assert.deepEqual(
    upstreams.map(({ credentials }) => credentials),
    [basic, { kind: 'docker-config' }],
  );
  assert.deepEqual(upstreams.map(({ hosts, tokenHosts }) => [hosts, tokenHosts])[0], [
    ['a.example'],
    ['auth.example', 'auth.example:8443'],
  ]);
  assert.deepEqual(
    authorities.map((authority) => authority.kind === 'notary' && [authority.credentials, authority.pin]),
    [[basic, { kind: 'tofu' }]],
  );
});

test('key ids are compared in lower case', async (t) => {
  const id = KEY_ID.toUpperCase();
  const { authorities } = await read(
    t,
    `authorities: { a: { type: notary, server: "https://n", pin: { rootKeys: [${id}] } } }`,
  );
  assert.deepEqual(
    authorities.map((authority) => authority.kind === 'notary' && authority.pin),
    [{ kind: 'rootKeys', ids: [KEY_ID] }],
  );
});

test('nothing in the text is expanded', async (t) => {
  const folder = await folderWith(t, { 'docklock.yaml': 'data: "$HOME/%X%/~"' });
  const { data } = await readConfig(join(folder, 'docklock.yaml'), { HOME: '/elsewhere', X: 'y' });
  assert.equal(data, join(folder, '$HOME', '%X%', '~'));
});
