import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { writeStatusFile } from '../../bin/status-file.ts';
import { DataFolder } from '../../cache/data-folder.ts';
import type { TrustStatus } from '../../trust/status.ts';
import { docklock, serving } from '../support/command-line.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { NotaryRepository } from '../support/notary-repository.ts';
import { NotaryServer } from '../support/notary-server.ts';
import { RecordingLog } from '../support/recording-log.ts';

const DAY = 24 * 3_600_000;

/** A signed image and a configuration that has nothing remembered yet. */
async function stage(t: TestContext, expires: Readonly<Record<string, Date>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-status-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const registry = await FakeRegistry.start(t);
  const notary = await NotaryServer.start(t);
  const now = new Date();
  const repository = new NotaryRepository({ gun: 'corp/app', now });
  const app = image();
  registry.push('app', app, '1');
  repository.sign('1', { digest: app.digest, size: app.bytes.byteLength });
  repository.delegate('targets/nightly');
  repository.sign('night', { digest: app.digest, size: app.bytes.byteLength }, 'targets/nightly');
  repository.publish(now, expires);
  notary.add(repository);
  const config = join(folder, 'docklock.yaml');
  await writeFile(
    config,
    `listen: 127.0.0.1:0
data: ./data
upstreams: { corp: { url: "${registry.url}" } }
authorities: { dct: { type: notary, server: "${notary.url}", pin: { rootKeys: ["${repository.rootKeyId}"] } } }
policy: [{ images: "corp/**", require: [dct] }]
`,
  );
  const status = async (...args: string[]) => await docklock('status', '--config', config, ...args);
  const learn = () => docklock('verify', 'corp/app:1', '--config', config);
  return { config, data: join(folder, 'data'), notary, status, learn };
}

test('status before the first pull says that nothing is trusted yet, and makes nothing', async (t) => {
  const { status, data } = await stage(t);
  const { code, out } = await status();
  assert.equal(code, 0, out);
  assert.match(out, /^Trust as it is on disk: no gateway runs/);
  assert.match(out, /^dct \(notary\): nothing is trusted yet/m);
  assert.match(out, /^All is well$/m);
  assert.equal(existsSync(data), false);
});

test('status without a gateway shows what is on disk, and asks nobody', async (t) => {
  const { status, learn, notary } = await stage(t);
  assert.equal((await learn()).code, 0);
  const asked = notary.requests.length;
  const { code, out } = await status();
  assert.equal(code, 0, out);
  assert.match(out, /✔ corp\/app: refreshed \S+Z, root 1, timestamp 1, snapshot 1, targets 1/);
  assert.match(out, /ok {7}\d{4}-\d\d-\d\d {2}in 13 days {5}dct {2}corp\/app {2}timestamp/);
  assert.match(out, /certificate of the root key/);
  assert.ok(!out.includes('\u001b'), 'no colours when it is not a terminal');
  assert.equal(notary.requests.length, asked);
});

test('status of what is to expire soon exits with 1, the soonest first', async (t) => {
  const soon = new Date(Date.now() + 3 * DAY);
  const { status, learn } = await stage(t, { targets: soon, root: new Date(soon.getTime() + DAY) });
  await learn();
  const { code, out } = await status('--json');
  assert.equal(code, 1, out);
  const { outlook, source, expiries, authorities } = JSON.parse(out);
  assert.deepEqual([outlook, source, authorities[0].name], ['warning', 'disk', 'dct']);
  assert.deepEqual(expiries.slice(0, 2), [
    { authority: 'dct', of: 'corp/app', what: 'targets', at: soon.toISOString(), level: 'warning' },
    {
      authority: 'dct',
      of: 'corp/app',
      what: 'root',
      at: new Date(soon.getTime() + DAY).toISOString(),
      level: 'warning',
    },
  ]);
  assert.match((await status()).out, /0 expired, 0 failing, 2 to expire soon/);
});

test('status of what has expired exits with 2', async (t) => {
  const { status, learn } = await stage(t, { 'targets/nightly': new Date(Date.now() - DAY) });
  await learn();
  const { code, out } = await status();
  assert.equal(code, 2, out);
  assert.match(out, /^ {2}expired .* targets\/nightly$/m);
});

test('the time to warn is the configured one', async (t) => {
  const { status, learn, config } = await stage(t, { targets: new Date(Date.now() + 30 * DAY) });
  await learn();
  assert.equal((await status()).code, 0);
  await writeFile(config, `${await readFile(config, 'utf8')}status: { warnBefore: 31d }\n`);
  assert.equal((await status()).code, 1);
});

test('status finds damaged trust state before a pull does', async (t) => {
  const { status, learn, data } = await stage(t);
  await learn();
  const trust = join(data, 'trust', 'dct');
  const [name = ''] = await readdir(trust);
  await truncate(join(trust, name, 'state'), 10);
  const { code, out } = await status();
  assert.equal(code, 2, out);
  assert.match(out, /✘ corp_app-\w+: never refreshed\n.*restore .* \[TRUST_STATE_DAMAGED\]/);
});

test('status beside a running gateway shows what that one knows', async (t) => {
  const { status, config, data } = await stage(t);
  const first = await serving(t, config);
  await request(first.url).get('/v2/corp/app/manifests/1').expect(200);
  assert.equal(await first.stop(), 0);
  await mkdir(data, { recursive: true });
  const changes = watch(data, { signal: t.signal });
  await rm(join(data, 'status.json'), { force: true });
  const second = await serving(t, config);
  for await (const { filename } of changes)
    if (filename === 'status.json' && existsSync(join(data, 'status.json'))) break;
  const { code, out } = await status('--json');
  assert.equal(code, 0, out);
  const { source, authorities } = JSON.parse(out);
  assert.equal(source, 'gateway');
  assert.deepEqual(
    authorities[0].trust.map(({ of, versions }: TrustStatus) => [of, versions.root]),
    [['corp/app', 1]],
    'though it has not been asked for it since it started',
  );
  await request(second.url).get('/readyz').expect(200, { status: 'ready', warnings: [] });
});

/** A data folder that is in use, as by a gateway, with what that one says. */
async function beside(t: TestContext, trust: readonly TrustStatus[] | undefined, writtenAt: Date) {
  const { status, data } = await stage(t);
  const folder = await DataFolder.claim(data, new RecordingLog());
  t.after(() => folder.release());
  if (trust !== undefined)
    await writeStatusFile(data, { writtenAt, authorities: [{ name: 'dct', kind: 'notary', trust }] });
  return { status, data };
}

const FAILING: TrustStatus = {
  of: 'corp/app',
  refreshedAt: new Date(),
  failure: { reason: 'KEY_NOT_TRUSTED', message: 'another root\u001b[2J', at: new Date() },
  versions: { root: 1 },
  expiries: [],
};

test('why a refresh fails in the running gateway is shown, without what steers a terminal, and exits with 2', async (t) => {
  const { status } = await beside(t, [FAILING], new Date());
  const { code, out } = await status();
  assert.equal(code, 2, out);
  assert.match(out, /^Trust as the running gateway had it \d+ s ago$/m);
  assert.match(out, /refresh failed \S+Z: another root \[2J \[KEY_NOT_TRUSTED\]/);
});

const silent: readonly (readonly [what: string, writtenAt: Date | undefined])[] = [
  ['has said nothing yet', undefined],
  ['said it minutes ago', new Date(Date.now() - 3 * 60_000)],
  ['says it of minutes ahead', new Date(Date.now() + 10 * 60_000)],
];

for (const [what, writtenAt] of silent) {
  test(`a gateway that ${what} is not taken for one that is well`, async (t) => {
    const { status } = await beside(t, writtenAt && [], writtenAt ?? new Date());
    const { code, out } = await status('--json');
    assert.equal(code, 1, out);
    assert.equal(JSON.parse(out).source, 'disk');
    assert.match((await status()).out, /another process owns the data folder, but what it knows cannot be had/);
  });
}

test('help of status tells the exit codes', async () => {
  const { out } = await docklock('status', '--help');
  assert.match(
    out,
    /Exit codes: 0 all is well, 1 something is to expire soon, 2 something has expired or a refresh fails/,
  );
});
