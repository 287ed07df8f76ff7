import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, formatConfigError, pathText } from '../../config/problem.ts';
import { readConfig } from '../../config/read.ts';
import { folderWith, glance, problemsOf } from './config-folder.ts';

test('each problem is a line that an editor can jump to', () => {
  const error = new ConfigError('docklock.yaml', [
    {
      path: 'policy[0].require[1]',
      line: 14,
      column: 5,
      expected: 'the name of an authority (dct, org)',
      got: '"dctt"',
      hint: 'did you mean dct?',
    },
    { path: '', line: 20, column: 1, expected: 'well-formed YAML', got: 'a tab as indentation' },
    { path: '', expected: 'a file', got: 'none' },
  ]);
  assert.equal(
    formatConfigError(error),
    [
      'docklock.yaml:14:5 policy[0].require[1]: expected the name of an authority (dct, org), got "dctt"; did you mean dct?',
      'docklock.yaml:20:1: expected well-formed YAML, got a tab as indentation',
      'docklock.yaml: expected a file, got none',
    ].join('\n'),
  );
});

test('a path quotes the keys that have dots of their own', () => {
  assert.equal(pathText(['upstreams', 'docker.io', 'hosts', 0]), 'upstreams["docker.io"].hosts[0]');
  assert.equal(pathText(['authorities', 'release-team', '']), 'authorities.release-team[""]');
  assert.equal(pathText([]), '');
});

test('a configuration that is not there says how to make one', async (t) => {
  const file = join(await folderWith(t, {}), 'docklock.yaml');
  await assert.rejects(readConfig(file), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(
      formatConfigError(error),
      /docklock\.yaml: expected a configuration file .*, got no such file; write one that begins with "upstreams: \{ docker\.io: \{ default: true \} \}"/,
    );
    return true;
  });
});

test('the way the message says to begin is one that works', async (t) => {
  const folder = await folderWith(t, { 'docklock.yaml': 'upstreams: { docker.io: { default: true } }' });
  assert.equal((await readConfig(join(folder, 'docklock.yaml'))).defaultUpstream, 'docker.io');
});

test('a configuration must be a readable text of modest size', async (t) => {
  const folder = await folderWith(t, {
    'large.yaml': `#${' '.repeat(1024 * 1024)}`,
    'fits.yaml': `#${' '.repeat(1024 * 1024 - 1)}`,
    'latin.yaml': Uint8Array.of(0x61, 0x3a, 0x20, 0xe9),
  });
  await mkdir(join(folder, 'folder.yaml'));
  await readConfig(join(folder, 'fits.yaml'));
  for (const [file, got] of [
    ['large.yaml', 'more than 1048576 bytes'],
    ['latin.yaml', 'bytes that are not UTF-8'],
    ['folder.yaml', 'a folder'],
    ['large.yaml/x', 'no such file: part of the path is not a folder'],
  ] as const) {
    await assert.rejects(
      readConfig(join(folder, file)),
      (error) => error instanceof ConfigError && error.problems[0]?.got === got,
    );
  }
});

test('every kind of mistake is told at once, in the order of the lines', async (t) => {
  const yaml = `listen: [127.0.0.1:5000, 0.0.0.0:5000]
lisen: 1
cache: { maxSize: 50 }
cache: { maxSize: 50 }
upstreams:
  Docker.io: { ca: ./missing.crt, default: yes }
  ghcr.io: { default: true, hosts: [a.example], credentials: { username: ci, password: hunter2, passwordFile: ./empty } }
  quay.io: { default: true, hosts: [a.example, 5] }
authorities:
  dct: { type: notary, server: ftp://n.example }
policy:
  - images: docker.io/library/*
    require: [dct, dctt]
    mode: enforced
  - images: docker.io//x
`;
  const problems = await problemsOf(t, yaml, { empty: '\n' });
  assert.deepEqual(
    glance(problems).map((line) => line.slice(0, line.indexOf(': '))),
    [
      '1:26 listen[1]',
      '2:1 lisen',
      '4:1 cache',
      '4:19 cache.maxSize',
      '6:3 upstreams["Docker.io"]',
      '6:20 upstreams["Docker.io"].ca',
      '6:44 upstreams["Docker.io"].default',
      '7:78 upstreams["ghcr.io"].credentials.password',
      '7:111 upstreams["ghcr.io"].credentials.passwordFile',
      '8:23 upstreams["quay.io"].default',
      '8:37 upstreams["quay.io"].hosts[0]',
      '8:48 upstreams["quay.io"].hosts[1]',
      '10:3 authorities.dct.pin',
      '10:32 authorities.dct.server',
      '13:20 policy[0].require[1]',
      '14:11 policy[0].mode',
      '15:5 policy[1]',
      '15:13 policy[1].images',
    ],
  );
  assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
});
