import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../config/problem.ts';
import { readConfig } from '../../config/read.ts';
import { folderWith, problemsOf } from './config-folder.ts';
import { CERTIFICATE, PRIVATE_KEY } from './pem.ts';

const CERTIFICATES = 'a readable PEM file of certificates';
const KEY = 'a readable PEM file of an unencrypted private key';
const PASSWORD = 'a readable file with a password in it';

const { privateKey: OTHER_KEY } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const { privateKey: LOCKED_KEY } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const FILES = {
  'a.crt': CERTIFICATE,
  'a.key': PRIVATE_KEY,
  'other.key': OTHER_KEY,
  'locked.key': LOCKED_KEY,
  'text.crt': 'not a certificate',
  'broken.crt': `${CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  'empty.password': ' \n',
  'large.password': 'x'.repeat(1024 * 1024 + 1),
};

const upstream = (keys: string) => `upstreams: { a: { ${keys} } }`;
const notary = (keys: string) => `authorities: { a: { type: notary, server: "https://n", ${keys} } }`;
const tls = (keys: string) => `listen: { address: 127.0.0.1:0, tls: { ${keys} } }`;

/** Each key whose file is not what it should be, with the path of the problem and what is said of it. */
const TABLE: readonly [yaml: string, path: string, expected: string, got: string][] = [
  [upstream('ca: missing.crt'), 'upstreams.a.ca', CERTIFICATES, 'no such file at "FOLDER/missing.crt"'],
  [upstream('ca: /dev/null'), 'upstreams.a.ca', CERTIFICATES, 'something that is not a regular file at "/dev/null"'],
  [upstream('ca: .'), 'upstreams.a.ca', CERTIFICATES, 'a folder at "FOLDER"'],
  [
    upstream('ca: a.crt/x'),
    'upstreams.a.ca',
    CERTIFICATES,
    'no such file: part of the path is not a folder at "FOLDER/a.crt/x"',
  ],
  [upstream('ca: text.crt'), 'upstreams.a.ca', CERTIFICATES, 'no certificate in it at "FOLDER/text.crt"'],
  [upstream('ca: a.key'), 'upstreams.a.ca', CERTIFICATES, 'no certificate in it at "FOLDER/a.key"'],
  [
    upstream('ca: broken.crt'),
    'upstreams.a.ca',
    CERTIFICATES,
    'something malformed as certificate 2 at "FOLDER/broken.crt"',
  ],
  [
    upstream('credentials: { username: ci, passwordFile: none }'),
    'upstreams.a.credentials.passwordFile',
    PASSWORD,
    'no such file at "FOLDER/none"',
  ],
  [
    upstream('credentials: { username: ci, passwordFile: empty.password }'),
    'upstreams.a.credentials.passwordFile',
    PASSWORD,
    'an empty file at "FOLDER/empty.password"',
  ],
  [
    upstream('credentials: { username: ci, passwordFile: large.password }'),
    'upstreams.a.credentials.passwordFile',
    PASSWORD,
    'more than 1048576 bytes at "FOLDER/large.password"',
  ],
  [notary('ca: missing.crt, pin: tofu'), 'authorities.a.ca', CERTIFICATES, 'no such file at "FOLDER/missing.crt"'],
  [notary('pin: { ca: missing.crt }'), 'authorities.a.pin.ca', CERTIFICATES, 'no such file at "FOLDER/missing.crt"'],
  [
    notary('pin: tofu, credentials: { username: ci, passwordFile: none }'),
    'authorities.a.credentials.passwordFile',
    PASSWORD,
    'no such file at "FOLDER/none"',
  ],
  [
    notary('pin: tofu, credentials: { username: ci, passwordEnv: EMPTY }'),
    'authorities.a.credentials.passwordEnv',
    'a password in the environment variable of this name',
    'no such variable',
  ],
  [tls('cert: missing.crt, key: a.key'), 'listen.tls.cert', CERTIFICATES, 'no such file at "FOLDER/missing.crt"'],
  [tls('cert: a.crt, key: missing.key'), 'listen.tls.key', KEY, 'no such file at "FOLDER/missing.key"'],
  [tls('cert: a.crt, key: a.crt'), 'listen.tls.key', KEY, 'no such key in it at "FOLDER/a.crt"'],
  [tls('cert: a.crt, key: locked.key'), 'listen.tls.key', KEY, 'no such key in it at "FOLDER/locked.key"'],
  [tls('cert: a.crt, key: other.key'), 'listen.tls.key', 'the key of the first certificate in cert', 'another key'],
  [
    tls('cert: a.crt, key: a.key, clientCa: text.crt'),
    'listen.tls.clientCa',
    CERTIFICATES,
    'no certificate in it at "FOLDER/text.crt"',
  ],
  [
    'listen: [{ address: 127.0.0.1:0, tls: { cert: a.crt, key: other.key } }]',
    'listen[0].tls.key',
    'the key of the first certificate in cert',
    'another key',
  ],
  ['data: a.crt', 'data', 'the path of a folder', 'a file at "FOLDER/a.crt"'],
];

for (const [yaml, path, expected, got] of TABLE) {
  test(`refused for its file: ${yaml}`, async (t) => {
    const folder = await folderWith(t, { ...FILES, 'docklock.yaml': yaml });
    await assert.rejects(readConfig(join(folder, 'docklock.yaml'), { EMPTY: '' }), (error) => {
      assert.ok(error instanceof ConfigError);
      const seen = error.problems.map((problem) => [
        problem.path,
        problem.expected,
        problem.got.replace(folder, 'FOLDER'),
      ]);
      assert.deepEqual(seen, [[path, expected, got]]);
      return true;
    });
  });
}

test('a file is looked for beside the configuration, not where the process runs', async (t) => {
  const folder = await folderWith(t, { 'docklock.yaml': upstream('ca: ./a.crt'), 'a.crt': CERTIFICATE });
  const { upstreams } = await readConfig(join(folder, 'docklock.yaml'));
  assert.deepEqual(
    upstreams.map(({ ca }) => ca),
    [join(folder, 'a.crt')],
  );
});

test('a file that may not be read is named as such', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may read every file');
  const folder = await folderWith(t, { 'docklock.yaml': upstream('ca: a.crt'), 'a.crt': CERTIFICATE });
  await chmod(join(folder, 'a.crt'), 0);
  await assert.rejects(readConfig(join(folder, 'docklock.yaml')), /got a file this user may not read/);
});

test('the data folder may be there or yet to come', async (t) => {
  const folder = await folderWith(t, { 'docklock.yaml': 'data: ./there', 'later.yaml': 'data: ./not/yet' });
  await mkdir(join(folder, 'there'));
  assert.equal((await readConfig(join(folder, 'docklock.yaml'))).data, join(folder, 'there'));
  assert.equal((await readConfig(join(folder, 'later.yaml'))).data, join(folder, 'not', 'yet'));
});

test('files are checked even where the rest of the configuration is wrong', async (t) => {
  const problems = await problemsOf(t, `lisen: 1\n${upstream('ca: missing.crt, hots: []')}`);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['lisen', 'upstreams.a.ca', 'upstreams.a.hots'],
  );
});
