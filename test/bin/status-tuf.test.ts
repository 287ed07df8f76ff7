/** `docklock status` of a repository that `publish/` wrote. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, truncate, watch, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { delegate } from '../../publish/delegate.ts';
import { generateKey } from '../../publish/key.ts';
import { DEFAULT_PERIODS } from '../../publish/settings.ts';
import { TestRepository } from '../publish/support/repository.ts';
import { docklock, serving } from '../support/command-line.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';

const HOUR = 3_600_000;

/** A vouched image in a delegated role, under a timestamp that lives for some hours. */
async function stage(t: TestContext, hours = 4) {
  const registry = await FakeRegistry.start(t);
  const app = image();
  registry.push('acme/app', app, '1');
  const repo = await TestRepository.found(t, { periods: { ...DEFAULT_PERIODS, timestamp: hours * HOUR } });
  const alice = generateKey();
  const wish = { threshold: undefined, terminating: undefined, before: undefined };
  await delegate(await repo.publishing(), { ...wish, name: 'acme', paths: ['corp/acme/*'], keys: [alice.public] });
  await repo.vouch('corp/acme/app:1', app.bytes, 'acme', {
    only: [alice, ...repo.keys.snapshot, ...repo.keys.timestamp],
  });
  const folder = dirname(repo.path);
  await copyFile(join(repo.metadata, '1.root.json'), join(folder, 'root.json'));
  const config = join(folder, 'docklock.yaml');
  await writeFile(
    config,
    `listen: 127.0.0.1:0
data: ./data
upstreams: { corp: { url: "${registry.url}" } }
authorities: { org: { type: tuf, metadata: ./repo/metadata, root: ./root.json } }
policy: [{ images: "corp/**", require: [org] }]
`,
  );
  const status = async (...args: string[]) => await docklock('status', '--config', config, ...args);
  const learn = () => docklock('verify', 'corp/acme/app:1', '--config', config);
  return { repo, config, data: join(folder, 'data'), status, learn };
}

test('without a gateway every role in use is shown from disk, nobody is asked, and a young timestamp is no warning', async (t) => {
  const { repo, status, learn } = await stage(t);
  const learnt = await learn();
  assert.equal(learnt.code, 0, learnt.err);
  await rm(join(repo.metadata, 'timestamp.json'));
  const { code, out } = await status();
  assert.equal(code, 0, out);
  assert.match(out, /✔ \S+metadata: refreshed \S+Z, root 1, timestamp 3, snapshot 3, targets 2, acme 1/);
  assert.match(out, /^All is well$/m);
  const { source, expiries } = JSON.parse((await status('--json')).out);
  assert.equal(source, 'disk');
  assert.deepEqual(expiries.map(({ what, level }: { what: string; level: string }) => `${what} ${level}`).sort(), [
    'acme ok',
    'root ok',
    'snapshot ok',
    'targets ok',
    'timestamp ok',
  ]);
});

test('right after a restart the gateway tells of what is on disk', async (t) => {
  const { config, data, repo, status } = await stage(t);
  const first = await serving(t, config);
  await request(first.url).get('/v2/corp/acme/app/manifests/1').expect(200);
  assert.equal(await first.stop(), 0);
  await rm(join(repo.metadata, 'timestamp.json'));
  const changes = watch(data, { signal: t.signal });
  await rm(join(data, 'status.json'), { force: true });
  await serving(t, config);
  for await (const { filename } of changes)
    if (filename === 'status.json' && existsSync(join(data, 'status.json'))) break;
  const { source, authorities } = JSON.parse((await status('--json')).out);
  assert.equal(source, 'gateway');
  assert.equal(authorities[0].trust[0].versions.acme, 1);
});

test('damaged trust state is found before a pull finds it', async (t) => {
  const { status, learn, data } = await stage(t);
  await learn();
  await truncate(join(data, 'trust', 'org', 'state'), 10);
  const { code, out } = await status();
  assert.equal(code, 2, out);
  assert.match(out, /✘ \S+metadata: never refreshed\n.*remove that whole folder.* \[TRUST_STATE_DAMAGED\]/);
});

test('looking at it changes nothing on disk, and before the first pull makes nothing', async (t) => {
  const { status, learn, data } = await stage(t);
  assert.equal((await status()).code, 0);
  assert.equal(existsSync(data), false);
  await learn();
  const before = await contents(data);
  assert.equal((await status()).code, 0);
  assert.deepEqual(await contents(data), before);
});

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.map(async (path) => [path, (await readFile(path)).toString('base64')] as const);
  return Object.fromEntries((await Promise.all(read)).sort());
}
