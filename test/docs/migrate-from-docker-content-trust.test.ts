import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { docklock } from '../support/command-line.ts';
import { NotaryPublisher } from '../support/notary-publisher.ts';
import { NotaryServer } from '../support/notary-server.ts';
import { blocksOf, runShellBlocks } from './shell-blocks.ts';

const PASSPHRASE = { DOCKLOCK_PASSPHRASE: 'correct horse battery staple' };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-docs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('docs/migrate-from-docker-content-trust.md: every command works as written, beside a Notary server', async (t) => {
  const folder = await folderOf(t);
  const registry = await FakeRegistry.start(t);
  for (const name of ['web', 'api', 'db']) registry.push(`shop/${name}`, image({ layers: [name] }), '1.0');
  const notary = await NotaryServer.start(t);
  const publisher = new NotaryPublisher({ gun: 'registry.corp.example/shop/web', now: new Date() });
  const web = image({ layers: ['web'] });
  publisher.sign('1.0', { digest: web.digest, size: web.bytes.byteLength });
  publisher.publish(new Date());
  notary.add(publisher);
  await writeFile(
    join(folder, 'docklock.yaml'),
    `upstreams: { corp: { url: "${registry.url}", default: true } }
authorities:
  dct: { type: notary, server: "${notary.url}", gun: "registry.corp.example/{repository}", pin: { rootKeys: ["${publisher.rootKeyId}"] } }
policy: [{ images: "corp/**", require: [dct] }]
`,
  );
  const { code, text } = await runShellBlocks('docs/migrate-from-docker-content-trust.md', folder, PASSPHRASE);
  assert.equal(code, 0, text);
  assert.match(text, new RegExp(`corp/shop/web:1.0\n  ${web.digest}\n.*\n.*\n  dct vouches for it: `));
  assert.match(text, /corp\/shop\/api:1\.0\n(?:.*\n){3} {2}dct (?:does not vouch for it|cannot tell)/);
  const client = await TufClient.start(t, join(folder, 'trust', 'metadata'));
  assert.equal((await client.target('corp/shop/web:1.0'))?.digest, web.digest);
  assert.notEqual(await client.target('corp/shop/db:1.0'), undefined);

  await copyFile(join(folder, 'trust/metadata/1.root.json'), join(folder, '1.root.json'));
  for (const [step, text] of (await configurations(publisher.rootKeyId)).entries()) {
    const config = join(folder, `step-${step}.yaml`);
    await writeFile(config, text);
    const checked = await docklock('config', 'check', '--config', config);
    assert.equal(checked.code, 0, `${text}\n${checked.err}`);
    assert.match(checked.out, / is good: /);
  }
});

/** The configuration at each step of the move: with the Notary server, with both authorities, with the new one alone. */
async function configurations(rootKeyId: string): Promise<readonly string[]> {
  const markdown = await readFile('docs/migrate-from-docker-content-trust.md', 'utf8');
  const [before = '', then = '', ...others] = blocksOf(markdown, 'yaml');
  assert.deepEqual(others, []);
  const first = before.replace('<key id of your root key>', rootKeyId);
  const [upstreams = '', authorities = ''] = first.split(/^authorities:\n|^policy:\n/m);
  const both = `${upstreams}${then.replace(/^authorities:\n/m, (line) => line + authorities)}`;
  assert.ok(markdown.includes('`require: [org]`'), 'the last step is described');
  const alone = `${upstreams}${then.replace('{ any: [dct, org] }', '[org]')}`;
  return [first, both, alone];
}
