import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { image } from '../support/fake-registry.ts';
import { publishStage } from '../support/publish-stage.ts';

const PATH = 'corp/acme/app:1';

test('a root of three people is founded, rotated and renewed by a file that goes round', async (t) => {
  const { folder, registry, run } = await publishStage(t);
  registry.push('acme/app', image(), '1');
  const key = (name: string) => join(folder, `${name}.pem`);
  for (const name of ['alice', 'bob', 'carol']) assert.equal((await run('tuf', 'key', key(name))).code, 0);
  const repo = join(folder, 'together');
  const others = ['alice', 'bob', 'carol'].flatMap((name) => ['--root-key', join(folder, `${name}.pub`)]);
  await run('tuf', 'init', repo, '--root-keys', '0', '--root-threshold', '2', ...others);
  const early = await run('vouch', PATH, '--repository', repo, '--yes');
  assert.match(early.err, /not founded yet: .*1\.root\.json lacks signatures/);
  const first = join(repo, 'staged', '1.root.json');
  const half = await run('tuf', 'sign', first, '--key', key('alice'), '--yes');
  assert.match(half.out, /It still lacks 1 more of the new root keys/, half.err);
  assert.match((await run('tuf', 'sign', first, '--key', key('bob'), '--yes')).out, /The repository is founded/);
  assert.equal((await run('vouch', PATH, '--repository', repo, '--yes')).code, 0);
  const client = await TufClient.start(t, join(repo, 'metadata'));
  assert.notEqual(await client.target(PATH), undefined);
  const rotated = await run('tuf', 'rotate', 'targets', '--repository', repo, '--key', key('bob'), '--yes');
  assert.match(
    rotated.out,
    /Not published yet\. It lacks 1 more of the root keys of version 1 .*\n.*\n {2}docklock tuf sign .*2\.root\.json --key KEY\n$/,
    rotated.err,
  );
  const signed = await run('tuf', 'sign', join(repo, 'staged', '2.root.json'), '--key', key('carol'), '--yes');
  assert.match(signed.out, /targets: new key [0-9a-f]{64}\n {2}targets: key [0-9a-f]{64} goes\n/);
  assert.match(signed.out, /Signed by all\.\nPublished/, signed.err);
  assert.notEqual(await client.target(PATH), undefined);
  assert.deepEqual(await readdir(join(repo, 'staged')), []);
});
