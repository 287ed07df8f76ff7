import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { docklock, running } from '../support/command-line.ts';
import { image } from '../support/fake-registry.ts';
import { publishStage } from '../support/publish-stage.ts';

const PATH = 'corp/acme/app:1';

test('init says in plain words which key is what, and keeps the private ones from others', async (t) => {
  const { folder, run } = await publishStage(t);
  const repo = join(folder, 'second');
  const { out } = await run('tuf', 'init', repo, '--root-keys', '2', '--root-threshold', '2');
  for (const words of ['Put in a safe', 'Lost:', 'Stolen:', 'It takes 2 of the root keys', 'metadata/1.root.json']) {
    assert.ok(out.includes(words), words);
  }
  for (const name of ['offline', 'online']) {
    const keys = join(repo, 'keys', name);
    for (const file of await readdir(keys)) {
      assert.equal((await stat(join(keys, file))).mode & 0o777, 0o600);
      const text = await readFile(join(keys, file), 'utf8');
      if (file.endsWith('.pem')) assert.equal(/BEGIN ENCRYPTED PRIVATE KEY/.test(text), name === 'offline', file);
    }
  }
  const again = await run('tuf', 'init', repo);
  assert.match(again.err, /expected an empty folder or none/);
});

test('a collaborator vouches with a key of their own, and their images go with them', async (t) => {
  const { folder, registry, repo, run } = await publishStage(t);
  registry.push('acme/app', image(), '1');
  const alice = join(folder, 'alice.pem');
  await run('tuf', 'key', alice);
  const given = await run(
    'tuf',
    'delegate',
    '--repository',
    repo,
    'corp/acme/*',
    join(folder, 'alice.pub'),
    '--name',
    'acme',
  );
  assert.match(given.out, /The role acme may vouch for corp\/acme\/\*/, given.err);
  const refused = await run('tuf', 'delegate', '--repository', repo, 'corp/acme/*', alice, '--name', 'other');
  assert.match(refused.err, /expected a public key, got a private one/);
  const vouched = await run('vouch', PATH, '--repository', repo, '--role', 'acme', '--key', alice, '--yes');
  assert.equal(vouched.code, 0, vouched.err);
  const client = await TufClient.start(t, join(repo, 'metadata'));
  assert.notEqual(await client.target(PATH), undefined);
  const shown = JSON.parse((await docklock('tuf', 'show', repo, '--json')).out);
  assert.deepEqual(
    shown.roles.map(({ role, version }: { role: string; version: number }) => [role, version]),
    [
      ['root', 1],
      ['targets', 2],
      ['snapshot', 3],
      ['timestamp', 3],
      ['acme', 1],
    ],
  );
  assert.equal((await run('tuf', 'undelegate', 'acme', '--repository', repo)).code, 0);
  assert.equal(await client.target(PATH), undefined);
});

test('a key that was put in a safe is brought with --key, and missed by name without', async (t) => {
  const { folder, repo, run } = await publishStage(t);
  const offline = join(repo, 'keys', 'offline');
  const safe = join(folder, 'safe');
  await rename(offline, safe);
  const missed = await run('tuf', 'rotate', 'timestamp', '--repository', repo, '--yes');
  assert.match(missed.err, /no root key is at hand: pass one with --key FILE/);
  const [root = ''] = (await readdir(safe)).filter((name) => /^root-.*\.pem$/.test(name));
  const { code, out, err } = await run(
    'tuf',
    'rotate',
    'timestamp',
    '--repository',
    repo,
    '--key',
    join(safe, root),
    '--yes',
  );
  assert.equal(code, 0, err);
  assert.match(out, /New timestamp key: .*online.*\nPublished/);
  await (await TufClient.start(t, join(repo, 'metadata'))).refresh();
});

test('serve: a client follows what is vouched for, nothing is written over http, SIGTERM ends it', async (t) => {
  const { registry, repo, run } = await publishStage(t);
  registry.push('acme/app', image(), '1');
  const served = await running(t, ['tuf', 'serve', repo, '--listen', '127.0.0.1:0'], /is served on (\S+)/);
  const root = Buffer.from(await (await fetch(`${served.url}/1.root.json`)).arrayBuffer());
  const client = await TufClient.at(t, `${served.url}/`, root);
  assert.equal(await client.target(PATH), undefined);
  await run('vouch', PATH, '--repository', repo, '--yes');
  assert.notEqual(await client.target(PATH), undefined);
  assert.equal((await fetch(`${served.url}/timestamp.json`, { method: 'PUT', body: '{}' })).status, 405);
  assert.equal((await fetch(`${served.url}/healthz`)).status, 200);
  assert.equal(await served.stop(), 0);
});

test('refresh is quiet when nothing is due, and names the keys that are missing when something is', async (t) => {
  const { repo } = await publishStage(t);
  const idle = await docklock('tuf', 'refresh', repo);
  assert.deepEqual([idle.code, idle.out], [0, 'Nothing was due.\n']);
  assert.match((await docklock('tuf', 'refresh', repo, '--force')).out, /Published: timestamp 2, snapshot 2/);
  await rm(join(repo, 'keys', 'online'), { recursive: true });
  const { code, err } = await docklock('tuf', 'refresh', repo, '--force');
  assert.deepEqual([code, /snapshot and timestamp keys are not all in keys\/online/.test(err)], [70, true], err);
});

test('help leads a newcomer: what there is, an example, the exit codes', async () => {
  const tuf = (await docklock('tuf', '--help')).out;
  for (const command of [
    'init',
    'show',
    'key',
    'delegate',
    'undelegate',
    'rotate',
    'renew',
    'sign',
    'refresh',
    'serve',
  ]) {
    assert.match(tuf, new RegExp(`^  ${command} `, 'm'));
  }
  assert.match(
    (await docklock('vouch', '--help')).out,
    /Examples:[\s\S]*Of --diff: 0 all as upstream, 1 a signed tag lags/,
  );
});
