import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TufClient } from '../publish/support/tuf-client.ts';
import { docklock } from '../support/command-line.ts';
import { image, index } from '../support/fake-registry.ts';
import { publishStage } from '../support/publish-stage.ts';

test('init, vouch, and tuf-js finds the image with the digest of its bytes', async (t) => {
  const { registry, repo, run } = await publishStage(t);
  const app = image();
  registry.push('acme/app', app, '1');
  const { code, out, err } = await run('vouch', 'corp/acme/app:1', '--repository', repo, '--yes');
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`^corp/acme/app:1\n  ${app.digest}\n  new here\n  .*linux/amd64\n`));
  assert.match(out, /Published: timestamp 2, snapshot 2/);
  const client = await TufClient.start(t, join(repo, 'metadata'));
  const found = await client.target('corp/acme/app:1');
  assert.deepEqual([found?.digest, found?.length], [app.digest, app.bytes.byteLength]);
  assert.deepEqual(found?.custom, { mediaType: app.mediaType, platforms: ['linux/amd64'] });
});

test('a moved tag is shown as old and new, and the vouched digest stays until it is vouched for again', async (t) => {
  const { registry, repo, run } = await publishStage(t);
  const [first, second] = [image({ layers: ['1'] }), index([image({ layers: ['2'] })])];
  registry.push('acme/app', first, '1');
  await run('vouch', 'acme/app:1', '--repository', repo, '--yes');
  assert.equal((await run('vouch', '--diff', '--repository', repo)).code, 0);
  registry.push('acme/app', second, '1');
  const lags = await run('vouch', '--diff', '--repository', repo);
  assert.equal(lags.code, 1);
  assert.match(lags.out, /corp\/acme\/app:1: signed tag lags/);
  const client = await TufClient.start(t, join(repo, 'metadata'));
  assert.equal((await client.target('corp/acme/app:1'))?.digest, first.digest);
  const { out } = await run('vouch', 'acme/app:1', '--repository', repo, '--yes');
  assert.match(out, new RegExp(`${second.digest}\n  was ${first.digest}`));
  assert.equal((await client.target('corp/acme/app:1'))?.digest, second.digest);
  const [row] = JSON.parse((await run('vouch', '--diff', '--json', '--repository', repo)).out);
  assert.deepEqual([row.image, row.state, row.upstream], ['corp/acme/app:1', 'same', second.digest]);
});

test('what is withdrawn is gone for clients, even when the upstream is', async (t) => {
  const { registry, repo, run } = await publishStage(t);
  const app = image();
  registry.push('acme/app', app, '1');
  await run('vouch', 'acme/app:1', `acme/app@${app.digest}`, '--repository', repo, '--yes');
  const client = await TufClient.start(t, join(repo, 'metadata'));
  assert.notEqual(await client.target('corp/acme/app:1'), undefined);
  await registry.close();
  const { code, err } = await run('vouch', '--withdraw', 'acme/app:1', '--repository', repo, '--yes');
  assert.equal(code, 0, err);
  assert.equal(await client.target('corp/acme/app:1'), undefined);
  assert.equal((await client.target(`corp/acme/app@${app.digest}`))?.digest, app.digest);
  const listed = JSON.parse((await run('vouch', '--list', '--json', '--repository', repo)).out);
  assert.deepEqual(
    listed.map((row: { image: string }) => row.image),
    [`corp/acme/app@${app.digest}`],
  );
});

test('a tag that is gone upstream is a lag, and an upstream that is out is no answer', async (t) => {
  const { registry, repo, run } = await publishStage(t);
  registry.push('acme/app', image(), '1');
  await run('vouch', 'acme/app:1', '--repository', repo, '--yes');
  registry.spoil({ kind: 'manifest' }, { status: 404 }, 1);
  const gone = await run('vouch', '--diff', '--repository', repo);
  assert.deepEqual([gone.code, /gone upstream/.test(gone.out)], [1, true], gone.out);
  await registry.close();
  const out = await run('vouch', '--diff', '--repository', repo);
  assert.deepEqual([out.code, /could not find out/.test(out.out)], [2, true], out.out);
});

/** One for all refusals: none of them may change anything in it. */
const untouched = await publishStage({ after });
untouched.registry.push('acme/app', image(), '1');

for (const [what, args, said] of [
  ['without --yes and a terminal', ['corp/acme/app:1'], /pass --yes; nothing was changed/],
  ['an image that the upstream has not', ['corp/acme/app:2', '--yes'], /the upstream has no such image/],
  ['no image', ['--yes'], /expected images to vouch for/],
  [
    'a role that there is none of',
    ['corp/acme/app:1', '--role', 'acme', '--yes'],
    /expected a role of this repository \(targets\)/,
  ],
  ['a withdrawal of what was never vouched for', ['--withdraw', 'corp/acme/app:1', '--yes'], /does not vouch for it/],
] as const) {
  test(`vouch ${what}: a sentence, and nothing is changed`, async (t) => {
    const { repo, run } = untouched;
    const { code, err } = await run('vouch', ...args, '--repository', repo);
    assert.ok((code ?? 0) >= 64, `${code}`);
    assert.match(err, said);
    assert.equal(
      (await TufClient.start(t, join(repo, 'metadata')).then((client) => client.target('corp/acme/app:1')))?.digest,
      undefined,
    );
  });
}

test('a mistyped passphrase is a clear error, and nothing is changed', async (t) => {
  const { registry, repo, run, passphrase } = await publishStage(t);
  registry.push('acme/app', image(), '1');
  await writeFile(passphrase, 'correct horse battery stapel\n');
  const { code, err } = await run('vouch', 'acme/app:1', '--repository', repo, '--yes');
  assert.equal(code, 70);
  assert.match(err, /targets-[0-9a-f]{8}\.pem: the passphrase does not open it; nothing was changed/);
  assert.equal(JSON.parse((await docklock('vouch', '--list', '--json', '--repository', repo)).out).length, 0);
});

test('a folder that is no repository is named, with what makes one', async (t) => {
  const { folder, run } = await publishStage(t);
  const { err } = await run('vouch', 'acme/app:1', '--repository', folder, '--yes');
  assert.match(err, /is not a TUF repository of docklock .*docklock tuf init/);
});
