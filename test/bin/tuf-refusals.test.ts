import assert from 'node:assert/strict';
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { docklock } from '../support/command-line.ts';
import { publishStage } from '../support/publish-stage.ts';

/** One for all: none of these may change anything in it. */
const { folder, repo } = await publishStage({ after });
await writeFile(join(folder, 'short'), 'short\n');
await cp(repo, join(folder, 'html'), { recursive: true });
await writeFile(join(folder, 'html', 'metadata', 'timestamp.json'), '<html>');

for (const [what, args, said] of [
  [
    'no passphrase and no terminal',
    ['tuf', 'key', 'DIR/new.pem'],
    /pass --passphrase-file FILE, or set DOCKLOCK_PASSPHRASE/,
  ],
  [
    'a passphrase that is too short',
    ['tuf', 'key', 'DIR/new.pem', '--passphrase-file', 'DIR/short'],
    /at least 8 characters/,
  ],
  [
    'a passphrase file that is not there',
    ['tuf', 'key', 'DIR/new.pem', '--passphrase-file', 'DIR/none'],
    /passphrase file cannot be read/,
  ],
  [
    'a key file that is there already',
    ['tuf', 'key', 'DIR/short', '--passphrase-file', 'DIR/passphrase'],
    /cannot be written as a new file/,
  ],
  [
    'a threshold that no keys reach',
    ['tuf', 'init', 'DIR/new', '--root-threshold', '2', '--passphrase-file', 'DIR/passphrase'],
    /between 1 and 1/,
  ],
  [
    'an expiry that is none',
    ['tuf', 'init', 'DIR/new', '--root-expires', 'soon', '--passphrase-file', 'DIR/passphrase'],
    /such as 90d/,
  ],
  [
    'a file to sign that is not staged',
    ['tuf', 'sign', 'DIR/passphrase', '--yes'],
    /expected a file such as DIR\/staged\/2\.root\.json/,
  ],
  [
    'a role that cannot be rotated',
    ['tuf', 'rotate', 'acme', '--repository', 'DIR/trust', '--yes'],
    /keys of a delegated role are changed with/,
  ],
  ['an address that is none', ['tuf', 'serve', 'DIR/trust', '--listen', 'nowhere'], /expected an address and a port/],
  ['html where the timestamp was', ['tuf', 'show', 'DIR/html'], /timestamp\.json.*is this a file of a TUF repository/],
] as const) {
  test(`${what}: a sentence, nothing new`, async () => {
    const before = (await readdir(folder)).sort();
    const { code, err } = await docklock(...args.map((arg) => arg.replace('DIR', folder)));
    assert.ok((code ?? 0) >= 64, `${code}`);
    assert.match(err, said);
    assert.deepEqual((await readdir(folder)).sort(), before);
  });
}
