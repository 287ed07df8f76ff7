import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readPrivateKey } from '../../publish/key-file.ts';

/** util-linux's `script` gives a command a terminal. */
const SCRIPT = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true;
const skip = SCRIPT ? false : 'util-linux script is not installed';
const PASSPHRASE = 'correct horse battery staple';

/** Runs docklock at a terminal; each answer is typed once its question is there. */
async function atTerminal(args: readonly string[], answers: readonly (readonly [question: string, answer: string])[]) {
  const command = [process.execPath, 'bin/docklock.ts', ...args].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env };
  delete env.DOCKLOCK_PASSPHRASE;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
    timeout: 60_000,
  });
  const left = [...answers];
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const [next] = left;
    if (next === undefined || !text.endsWith(next[0])) return;
    left.shift();
    child.stdin.write(`${next[1]}\r`);
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, text };
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-terminal-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a new passphrase is asked for twice and never shown', { skip }, async (t) => {
  const file = join(await folderOf(t), 'alice.pem');
  const { code, text } = await atTerminal(
    ['tuf', 'key', file],
    [
      ['new keys: ', `x\u007f${PASSPHRASE}`],
      ['again: ', PASSPHRASE],
    ],
  );
  assert.equal(code, 0, text);
  assert.ok(!text.includes('horse'), text);
  assert.ok(readPrivateKey(await readFile(file, 'utf8'), PASSPHRASE, file));
});

test('two passphrases that differ are a sentence, and no key is made', { skip }, async (t) => {
  const folder = await folderOf(t);
  const answers = [
    ['new keys: ', PASSPHRASE],
    ['again: ', 'correct horse battery stapel'],
  ] as const;
  const { code, text } = await atTerminal(['tuf', 'key', join(folder, 'alice.pem')], answers);
  assert.deepEqual([code, /are not the same; nothing was changed/.test(text)], [70, true], text);
  assert.deepEqual(await readdir(folder), []);
});

test('rotate asks first, then for the passphrase; who gets that wrong has changed nothing', { skip }, async (t) => {
  const repo = join(await folderOf(t), 'repo');
  const answers = [
    ['new keys: ', PASSPHRASE],
    ['again: ', PASSPHRASE],
  ] as const;
  assert.equal((await atTerminal(['tuf', 'init', repo], answers)).code, 0);
  const before = (await readdir(repo, { recursive: true })).sort();
  const no = await atTerminal(['tuf', 'rotate', 'timestamp', '--repository', repo], [['[y/N] ', 'n']]);
  assert.deepEqual([no.code, /Nothing was changed/.test(no.text)], [1, true], no.text);
  const wrong = [
    ['[y/N] ', 'y'],
    ['.pem: ', 'wrong'],
  ] as const;
  const mistyped = await atTerminal(['tuf', 'rotate', 'timestamp', '--repository', repo], wrong);
  assert.deepEqual(
    [mistyped.code, /does not open it; nothing was changed/.test(mistyped.text)],
    [70, true],
    mistyped.text,
  );
  const after = (await readdir(repo, { recursive: true })).filter((name) => name !== 'lock').sort();
  assert.deepEqual(
    after,
    before.filter((name) => name !== 'lock'),
  );
});
