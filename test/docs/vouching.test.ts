import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { runShellBlocks } from './shell-blocks.ts';

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
});
