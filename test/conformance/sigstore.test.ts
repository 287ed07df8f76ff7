import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { digestOf } from '../../oci/digest.ts';
import { attestation, imageStatement } from '../support/image-statement.ts';
import { ecKey, pemText } from '../support/key-pair.ts';
import type { Json } from '../support/sigstore-json.ts';
import { type SignOptions, SigstorePublisher } from '../support/sigstore-publisher.ts';

const publisher = await SigstorePublisher.create();
const artifact = Buffer.from('signed text\n');
const digest = digestOf(artifact);
const key = ecKey();
const theirs =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

type Files = Readonly<Record<string, string | Buffer>>;

const message = (options: SignOptions = {}) => publisher.message(artifact, { identity: theirs, ...options });
const statement = (about: object, options: SignOptions = {}) =>
  publisher.statement(about, { identity: theirs, ...options });

/** The cases of a small suite: what each is called, its bundle, and its other files. */
const CASES: readonly [name: string, bundle: () => Promise<Json>, files?: Files][] = [
  ['happy-path', () => message()],
  ['happy-path-dsse', () => statement(imageStatement(digest))],
  ['rekor2-happy-path', () => message({ log: 'v2' })],
  ['rekor2-timestamp-missing_fail', () => message({ log: 'v2', timestamp: false })],
  ['any-predicate', () => statement(attestation(digest, 'https://slsa.dev/provenance/v1'))],
  ['by-digest', () => statement(imageStatement(digest)), { digest }],
  ['by-digest-of-another_fail', () => statement(imageStatement(digest)), { digest: digestOf(Buffer.from('x')) }],
  ['message-by-digest_fail', () => message(), { digest }],
  ['artifact-differs_fail', () => message(), { artifact: 'other text' }],
  [
    'identity-in-a-file',
    () => message({ identity: 'https://github.com/acme/app' }),
    { identity: 'https://github.com/acme/app\n' },
  ],
  [
    'identity-is-no-pattern_fail',
    () => message({ identity: 'https://github.com/acme/app' }),
    { identity: 'https://github.com/*' },
  ],
  ['identity-mismatch_fail', () => message({ identity: 'https://github.com/acme/app' })],
  ['issuer-mismatch_fail', () => message(), { issuer: 'https://accounts.google.com' }],
  ['managed-key-happy-path', () => message({ key }), { 'key.pub': pemText(key.publicKey) }],
  ['managed-key-wrong-key_fail', () => message({ key }), { 'key.pub': pemText(ecKey().publicKey) }],
  ['managed-key-no-log_fail', () => message({ key, log: 'none' }), { 'key.pub': pemText(key.publicKey) }],
  ['managed-key-and-client-identity_fail', () => message({ key }), { 'key.pub': pemText(key.publicKey) }],
  ['public-good-root_fail', () => message(), { 'trusted_root.json': '' }],
  ['no-bundle_fail', async () => ({})],
];

async function suite(t: import('node:test').TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-conformance-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const cases = join(folder, 'bundle-verify');
  for (const [name, bundle, files = {}] of CASES) {
    await mkdir(join(cases, name), { recursive: true });
    const all: Files = {
      'bundle.sigstore.json': JSON.stringify(await bundle()),
      'trusted_root.json': publisher.trustedRoot(),
      ...files,
    };
    for (const [file, content] of Object.entries(all)) {
      if (content !== '') await writeFile(join(cases, name, file), content);
    }
  }
  await writeFile(join(folder, 'a.txt'), artifact);
  return cases;
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['test/conformance/sigstore.ts', ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test('a folder of cases is told a line a case, with the counts', async (t) => {
  const { code, stdout } = await run(await suite(t));
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('FAIL')),
    [],
  );
  assert.equal(lines.at(-1), `${CASES.length} passed, 0 failed`);
  assert.equal(lines.length, CASES.length + 1);
  assert.ok(lines.includes('ok   happy-path, verified'), stdout);
  assert.match(stdout, /^ok {3}issuer-mismatch_fail, refused: IDENTITY_MISMATCH the signer was authenticated by/m);
  assert.equal(code, 0);
});

test('a case that does not do as its name says fails the run', async (t) => {
  const cases = await suite(t);
  await mkdir(join(cases, 'tampered'));
  await writeFile(join(cases, 'tampered', 'bundle.sigstore.json'), '{}');
  const { code, stdout } = await run(cases);
  assert.match(stdout, /^FAIL tampered, refused: SIGNATURE_UNSUPPORTED /m);
  assert.match(stdout, new RegExp(`\n${CASES.length} passed, 1 failed\n$`));
  assert.equal(code, 1);
});

test('a folder without cases, or none at all, is said to be that', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-conformance-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const args of [[folder], [join(folder, 'missing')], []]) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 64);
    assert.match(stderr, /^(?:expected folders with bundle\.sigstore\.json|usage: )/);
  }
});
