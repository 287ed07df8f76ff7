import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCredentialHelper } from '../../upstream/credential-helper.ts';
import { failing } from './support/clients.ts';

const LIMITS = { time: 10_000, output: 4096 };
const path = process.env.PATH;
let folder = '';

/** Helpers of our own, on the PATH of this test's process alone. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-credential-'));
  process.env.PATH = `${folder}${delimiter}${path}`;
  await helper(
    'fine',
    'read server; test "$1" = get && printf \'{"ServerURL":"%s","Username":"ci","Secret":"for %s"}\' "$server" "$server"',
  );
  await helper('deaf', 'printf \'{"Username":"ci","Secret":"hunter2"}\'');
  await helper('unknown', 'echo "credentials not found in native keychain"; exit 1');
  await helper('locked', 'echo "hunter2: keychain is locked"; exit 3');
  await helper('chatty', 'head -c 100000 /dev/zero; exit 0');
  await helper('slow', 'exec sleep 60');
  await helper('text', 'echo hunter2');
  await helper('half', 'echo \'{"Username":"hunter2"}\'');
});

after(async () => {
  process.env.PATH = path;
  await rm(folder, { recursive: true });
});

async function helper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

test('a helper is asked for a server and answers with name and secret', async () => {
  const answer = await runCredentialHelper('fine', 'registry.example', LIMITS);
  assert.equal(answer?.username, 'ci');
  assert.equal(answer?.secret.reveal(), 'for registry.example');
});

test('a helper that reads no input is fine too', async () => {
  assert.equal((await runCredentialHelper('deaf', 'registry.example', LIMITS))?.secret.reveal(), 'hunter2');
});

test('a server goes to the helper as text, whatever it looks like', async () => {
  const server = '$(touch hacked); `id` "';
  assert.equal((await runCredentialHelper('deaf', server, LIMITS))?.username, 'ci');
});

test('a helper that knows nothing of the server has none', async () => {
  assert.equal(await runCredentialHelper('unknown', 'registry.example', LIMITS), undefined);
});

for (const [name, what, limits] of [
  ['locked', 'fails', LIMITS],
  ['chatty', 'says too much', LIMITS],
  ['slow', 'takes too long', { ...LIMITS, time: 50 }],
  ['text', 'answers in no JSON', LIMITS],
  ['half', 'answers with half of it', LIMITS],
  ['missing', 'is not there', LIMITS],
] as const) {
  test(`a helper that ${what} is denied, and nothing it said is told`, async () => {
    const error = await failing(runCredentialHelper(name, 'registry.example', limits), 'denied');
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hunter2/);
  });
}

for (const name of ['../fine', 'fine get', 'fine;id', 'Fine', '']) {
  test(`no program is run for a helper named ${JSON.stringify(name)}`, async () => {
    const error = await failing(runCredentialHelper(name, 'registry.example', LIMITS), 'denied');
    assert.match(error.message, /expected a name of letters/);
  });
}
