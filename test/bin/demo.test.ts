import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { demo } from '../../bin/demo/demo.ts';
import { Publisher } from '../../bin/demo/publisher.ts';
import type { Scene } from '../../bin/demo/scenes.ts';
import { TufClient } from '../publish/support/tuf-client.ts';

/** `docklock demo` as a process, with a folder of its own for what is temporary. */
async function spawnDemo(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-demo-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['bin/docklock.ts', 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  return { folder, child, closed: once(child, 'close') };
}

test('the demo shows what is admitted and every kind of bad one refused, each for its own reason', async (t) => {
  const { child, closed, folder } = await spawnDemo(t);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.deepEqual(await closed, [0, null], out + err);
  assert.equal(err, '');
  assert.match(out, /^9 of 9 as they must be$/m);
  const blocks = out.split('\n\n').slice(1, -1);
  for (const [at, [outcome, image, said]] of [
    ['ADMITTED', 'signed:1.0', 'sha256:'],
    ['REFUSED', 'unsigned:1.0', '[TAG_NOT_SIGNED]'],
    ['REFUSED', 'tampered:1.0', 'cut off before its last byte'],
    ['ADMITTED', 'moved:1.0', 'sha256:'],
    ['REFUSED', 'moved@sha256:', '[DIGEST_NOT_SIGNED]'],
    ['REFUSED', 'withdrawn:1.0', '[TAG_NOT_SIGNED]'],
    ['REFUSED', 'withdrawn:1.0', '[METADATA_ROLLBACK]'],
    ['REFUSED', 'late/app:1.0', '[METADATA_EXPIRED]'],
    ['UNDETERMINED', 'frozen:1.0', '[TRUST_STALE]'],
  ].entries()) {
    const [head = '', ...rest] = blocks[at]?.split('\n') ?? [];
    assert.ok(head.startsWith(`${outcome} `) && head.includes(`: ${image}`), `${image} ${outcome}: ${head}`);
    assert.ok(rest.join(' ').includes(said ?? 'nothing'), `${said}: ${rest.join(' ')}`);
  }
  assert.ok(!out.includes('\u001b'), 'no colours when it is not a terminal');
  assert.deepEqual(await readdir(folder), [], 'nothing is left behind');
});

test('who stops the demo in the middle finds nothing left of it', async (t) => {
  const { child, closed, folder } = await spawnDemo(t);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  assert.deepEqual(await closed, [130, null]);
  assert.deepEqual(await readdir(folder), []);
});

const UNSIGNED: Scene = {
  told: 'an image that nobody vouches for',
  expected: { outcome: 'refused', text: '[TAG_NOT_SIGNED]' },
  prepare: async () => 'unsigned:1.0',
};

for (const [what, expected, code] of [
  ['what must come', UNSIGNED.expected, 0],
  ['another verdict than must come', { outcome: 'admitted', text: '' }, 1],
  ['the verdict for another reason', { outcome: 'refused', text: '[METADATA_EXPIRED]' }, 1],
] as const) {
  test(`${what} ends the demo with ${code}${code === 0 ? '' : ', and the row says so'}`, async () => {
    const out = new PassThrough();
    assert.equal(await demo({ out, colour: false, scenes: [{ ...UNSIGNED, expected }] }), code);
    const said = await text(out.end());
    assert.equal(said.includes('<- not what must come'), code !== 0);
    assert.ok(said.includes(`${1 - code} of 1 as they must be`), said);
  });
}

test('on a terminal the verdicts have colours', async () => {
  const out = new PassThrough();
  await demo({ out, colour: true, scenes: [UNSIGNED] });
  assert.ok((await text(out.end())).includes('\u001b[31mREFUSED'));
});

test('what the demo calls expired is expired by the clock of any TUF client', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-demo-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ago = (hours: number) => () => new Date(Date.now() - hours * 3_600_000);
  const late = await Publisher.found(join(folder, 'late'), ago(25));
  const fresh = await Publisher.found(join(folder, 'fresh'), ago(23));
  await assert.rejects((await TufClient.start(t, late.folder.metadata)).refresh(), /expired/);
  await (await TufClient.start(t, fresh.folder.metadata)).refresh();
});
