import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Checkout, runWithThisNode, whyNotOffline } from './support/checkout.ts';
import { terminalOf } from './support/client.ts';
import { Daemon } from './support/daemon.ts';
import { once } from './support/once.ts';
import { isRefused } from './support/port.ts';
import { clientsOf } from './support/stage.ts';
import { Workspace } from './support/workspace.ts';

/** Where docklock.yaml says that it listens. */
const ADDRESS = '127.0.0.1:5000';

const workspace = await Workspace.open();
after(() => workspace.close());
const clients = await clientsOf(workspace);
const skip = Checkout.whyNot();

/** `git clone`, then `npm ci`, on a machine that never saw DockLock. */
const checkout = once(async () => {
  const cloned = await Checkout.clone(workspace);
  await cloned.npm('ci');
  return cloned;
});

const skipServing = skip || ((await isRefused(ADDRESS)) ? false : `another process listens on ${ADDRESS}`);

/** `npm start`. Answers what it said on the terminal. */
const started = once(async () => {
  const { folder, env } = await checkout();
  const log = join(await workspace.folder('start'), 'log');
  const daemon = await Daemon.start({
    name: 'npm start',
    file: 'npm',
    args: ['start'],
    env,
    cwd: folder,
    log,
    ready: async () => (await fetch(`http://${ADDRESS}/v2/`)).status === 200,
  });
  workspace.closing(() => daemon.stop());
  return await daemon.log();
});

test('npm ci && npm start serves, and says where, what it guards and how to pull through it', {
  skip: skipServing,
}, async () => {
  const said = await started();
  for (const part of [
    `DockLock listens on http://${ADDRESS}`,
    'docker.io (default)',
    'what none covers is refused',
    'presets        kubernetes, ',
  ]) {
    assert.ok(said.includes(part), `expected "${part}", got:\n${said}`);
  }
});

for (const client of clients) {
  test(`npm start says how ${client.name} pulls, and what nobody signed is refused in a sentence that says what to do`, {
    skip: skipServing || client.skip,
  }, async () => {
    const line = (await started()).split('\n').find((text) => text.trim().startsWith(`${client.name} `));
    const image = /(?:docker:\/\/)?(127\.0\.0\.1:5000)\/registry\.k8s\.io\/pause:3\.10/.exec(line ?? '');
    assert.ok(image !== null, `expected a command for ${client.name}, got ${line}`);
    const terminal = terminalOf(await client.pullDirectly(`${image[1]}/docker.io/library/hello-world:latest`));
    assert.match(
      terminal,
      /DockLock refused docker\.io\/library\/hello-world:latest: .*\[NO_RULE\]\. Docker Official Images have no signature to verify: pull a signed alternative .* or vouch for it/,
    );
  });
}

test('npm run demo shows, offline and in a table, an image admitted and every kind of bad one refused', {
  skip: skip || whyNotOffline(),
}, async () => {
  const table = await (await checkout()).npmOffline('run', '--silent', 'demo');
  for (const reason of [
    'TAG_NOT_SIGNED',
    'DIGEST_NOT_SIGNED',
    'METADATA_EXPIRED',
    'METADATA_ROLLBACK',
    'TRUST_STALE',
  ]) {
    assert.ok(table.includes(`[${reason}]`), table);
  }
  assert.match(table, /^ADMITTED +200 +an image that its publisher vouches for/m);
  assert.match(table, /^(\d+) of \1 as they must be$/m);
});

/** `npm pack`, and what comes of it installed into an empty project. */
const installed = once(async () => {
  const cloned = await checkout();
  const packed = await cloned.npm('pack', '--silent', '--pack-destination', await workspace.folder('packed'));
  const project = await workspace.folder('project');
  await writeFile(join(project, 'package.json'), '{}');
  const [archive] = globSync(join(workspace.path, 'packed-*', packed.trim().split('\n').at(-1) ?? ''));
  await cloned.npmIn(project, 'install', '--no-audit', '--no-fund', archive ?? assert.fail(packed));
  return project;
});

test('the packed package, installed into an empty project, has a docklock that explains itself', {
  skip,
}, async () => {
  const { code, stdout, stderr } = await runWithThisNode(join(await installed(), 'node_modules/.bin/docklock'), [
    '--help',
  ]);
  assert.equal(code, 0, stderr);
  for (const command of ['serve', 'verify', 'config', 'demo'])
    assert.match(stdout, new RegExp(`^ +${command}\\b`, 'm'));
});

test('the packed package brings no Node, no tests and no TypeScript with it', { skip }, async () => {
  const modules = join(await installed(), 'node_modules');
  assert.deepEqual(globSync('{node,node-*,docklock-runtime,typescript}', { cwd: modules }), []);
  assert.deepEqual(globSync('docklock/**/{test,*[!d].ts}', { cwd: modules }), []);
  const { version } = JSON.parse(await readFile(join(modules, 'docklock/package.json'), 'utf8'));
  assert.match(version, /^\d+\.\d+\.\d+/);
});
