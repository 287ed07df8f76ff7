import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { docklock } from '../support/command-line.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { NotaryPublisher } from '../support/notary-publisher.ts';
import { NotaryServer } from '../support/notary-server.ts';

/** A registry with a signed and an unsigned tag, a trust server, and a configuration for both. */
async function stage(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const registry = await FakeRegistry.start(t);
  const trust = await NotaryServer.start(t);
  const publisher = new NotaryPublisher({ gun: 'corp/app', now: new Date() });
  const app = image();
  registry.push('app', app, '1');
  registry.push('app', image({ layers: ['unsigned'] }), '2');
  publisher.sign('1', { digest: app.digest, size: app.bytes.byteLength });
  publisher.publish(new Date());
  trust.add(publisher);
  const config = join(folder, 'docklock.yaml');
  await writeFile(
    config,
    `listen: 127.0.0.1:0
data: ./data
upstreams: { corp: { url: "${registry.url}", default: true } }
authorities:
  dct: { type: notary, server: "${trust.url}", pin: { rootKeys: ["${publisher.rootKeyId}"] } }
policy:
  - { images: "corp/**", require: [dct] }
`,
  );
  return { folder, config, registry, app, stopTrust: () => trust.close() };
}

test('verify says admitted with the evidence as a tree, and exits with 0', async (t) => {
  const { config, app } = await stage(t);
  const { code, out } = await docklock('verify', 'corp/app:1', '--config', config);
  assert.equal(code, 0, out);
  assert.match(out, new RegExp(`^corp/app:1: admitted by policy\\[0\\], ${app.digest}`));
  assert.match(out, /└─ ✔ dct vouches for sha256:/);
  assert.match(out, /root/);
  assert.ok(!out.includes('\u001b'), 'no colours when it is not a terminal');
});

test('verify --json prints the verdict as one object', async (t) => {
  const { config, app } = await stage(t);
  const { code, out } = await docklock('verify', 'app:1', '--config', config, '--json');
  const verdict = JSON.parse(out);
  assert.equal(code, 0);
  assert.equal(verdict.image, 'corp/app:1');
  assert.equal(verdict.outcome, 'admitted');
  assert.equal(verdict.digest, app.digest);
});

test('verify takes a digest', async (t) => {
  const { config, app } = await stage(t);
  assert.equal((await docklock('verify', `corp/app@${app.digest}`, '--config', config)).code, 0);
});

test('verify of an unsigned tag exits with 1 and says why', async (t) => {
  const { config } = await stage(t);
  const { code, out } = await docklock('verify', 'corp/app:2', '--config', config);
  assert.equal(code, 1);
  assert.match(out, /^DockLock refused corp\/app:2: .*\[TAG_NOT_SIGNED\]/);
});

test('verify with the trust server out exits with 2', async (t) => {
  const { config, stopTrust } = await stage(t);
  await stopTrust();
  const { code, out } = await docklock('verify', 'corp/app:1', '--config', config, '--json');
  assert.equal(code, 2, out);
  assert.equal(JSON.parse(out).reason, 'TRUST_UNREACHABLE');
});

test('verify with the upstream out exits with 2: what would be pulled could not be seen', async (t) => {
  const { config, registry } = await stage(t);
  await registry.close();
  const { code, out } = await docklock('verify', 'corp/app:1', '--config', config, '--json');
  assert.equal(code, 2, out);
  assert.equal(JSON.parse(out).reason, 'UPSTREAM_UNREACHABLE');
});

test('config check reports every problem at once and exits with 78', async (t) => {
  const { folder } = await stage(t);
  const config = join(folder, 'bad.yaml');
  await writeFile(config, 'listen: nowhere\npolcy: []\ncache: { maxSize: much }\n');
  const { code, err } = await docklock('config', 'check', '--config', config);
  assert.equal(code, 78);
  for (const problem of [/listen/, /polcy/, /cache\.maxSize/]) assert.match(err, problem);
});

test('config check of a good file says what it comes to', async (t) => {
  const { config } = await stage(t);
  const { code, out } = await docklock('config', 'check', '--config', config);
  assert.equal(code, 0);
  assert.match(out, /is good: 1 upstream, 1 authority, 1 rule/);
});

test('serve with a bad configuration exits with 78 before it listens', async (t) => {
  const { folder } = await stage(t);
  const { code, err } = await docklock('serve', '--config', join(folder, 'missing.yaml'));
  assert.equal(code, 78);
  assert.match(err, /missing\.yaml/);
});

for (const [what, args, said] of [
  ['an unknown command', ['srve'], /srve/],
  ['an unknown option', ['serve', '--nope'], /--nope/],
  ['an image that is none', ['verify', 'corp/app:!', '--config', 'CONFIG'], /tag/],
] as const) {
  test(`${what} is a usage error that says what came`, async (t) => {
    const { config } = await stage(t);
    const { code, err } = await docklock(...args.map((arg) => (arg === 'CONFIG' ? config : arg)));
    assert.equal(code, 64);
    assert.match(err, said);
  });
}

test('help is for a newcomer: what there is, and where to start', async () => {
  const { code, out } = await docklock('--help');
  assert.equal(code, 0);
  for (const word of ['serve', 'verify', 'config', 'demo', 'Start here']) assert.ok(out.includes(word), word);
  assert.match((await docklock('verify', '--help')).out, /Exit codes: 0 admitted, 1 refused, 2 undetermined/);
  assert.match((await docklock('tuf', '--help')).out, /Start here:\n {2}docklock tuf init /);
  const vouching = (await docklock('vouch', '--help')).out;
  assert.match(vouching, /\(default: "docklock\.yaml"\)/);
  assert.doesNotMatch(
    vouching,
    /default: (?:\[\]|false)/,
    'that something is off unless asked for goes without saying',
  );
});
