import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { docklock } from '../support/command-line.ts';
import { blocksOf, runShellBlocks } from './shell-blocks.ts';

const PASSPHRASE = { DOCKLOCK_PASSPHRASE: 'correct horse battery staple' };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-docs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('docs/vouching.md: every command works as written, in the order of the document', async (t) => {
  const folder = await folderOf(t);
  const registry = await FakeRegistry.start(t);
  registry.push('library/alpine', image(), '3.20');
  registry.push('acme/app', image({ layers: ['app'] }), '1.0');
  await writeFile(
    join(folder, 'docklock.yaml'),
    `upstreams: { docker.io: { url: "${registry.url}", default: true } }\n`,
  );
  const { code, text, commands } = await runShellBlocks('docs/vouching.md', folder, PASSPHRASE);
  assert.equal(code, 0, text);
  assert.ok(commands >= 16, `${commands}`);
  for (const repository of ['trust', 'together']) {
    await (await TufClient.start(t, join(folder, repository, 'metadata'))).refresh();
  }

  // The gateway is given the root, and this beside its upstreams.
  const [gateway = '', ...others] = blocksOf(await readFile('docs/vouching.md', 'utf8'), 'yaml');
  assert.deepEqual(others, []);
  await copyFile(join(folder, 'trust/metadata/1.root.json'), join(folder, '1.root.json'));
  const config = join(folder, 'gateway.yaml');
  await writeFile(config, `upstreams: { docker.io: { default: true } }\n${gateway}`);
  const checked = await docklock('config', 'check', '--config', config);
  assert.equal(checked.code, 0, checked.err);
  assert.equal(checked.out, `${config} is good: 1 upstream, 1 authority, 1 rule\n`);
});
