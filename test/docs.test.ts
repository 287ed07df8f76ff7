import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PRESET_NAMES, PRESETS } from '../config/preset-catalog.ts';
import { REGISTRY_ERROR_STATUS } from '../oci/registry-error.ts';
import { answerFor, UPSTREAM_STATUS } from '../proxy/error-response.ts';
import { REFUSAL_REASONS, UNDETERMINED_REASONS } from '../trust/reason.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream-error.ts';

const errors = readFileSync('docs/errors.md', 'utf8');

/** The reason codes of one section's table. */
function reasonsUnder(heading: string): string[] {
  const section = errors.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1] ?? '');
}

test('docs/errors.md lists every reason of a refusal, and no other', () => {
  assert.deepEqual(reasonsUnder('Refused').sort(), Object.keys(REFUSAL_REASONS).sort());
});

test('docs/errors.md lists every reason of an undetermined verdict, and no other', () => {
  assert.deepEqual(reasonsUnder('Undetermined').sort(), Object.keys(UNDETERMINED_REASONS).sort());
});

test('docs/errors.md gives each failure of an upstream the status and code it is answered with', () => {
  const failures = Object.keys(UPSTREAM_STATUS) as UpstreamFailure[];
  const rows = failures.map((failure) => {
    const { status, code, detail, headers } = answerFor(new UpstreamError(failure, 'x'));
    const waits = headers?.['Retry-After'] === undefined ? '' : ', with `Retry-After`';
    return `| \`${detail?.reason}\` | ${status}${waits} | \`${code}\` |`;
  });
  for (const row of rows) assert.ok(errors.includes(row), row);
  assert.equal(reasonsUnder('The upstream failed').length, rows.length);
});

test('docs/errors.md lists every code of the distribution-spec under its status', () => {
  for (const [code, status] of Object.entries(REGISTRY_ERROR_STATUS)) {
    assert.match(errors, new RegExp(`^\\| ${status} \\|.*\`${code}\``, 'm'));
  }
});

test('docs/presets.md has a row for every preset, with its images and whom it believes', () => {
  const document = readFileSync('docs/presets.md', 'utf8');
  const rows = new Map(
    [...document.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, name, row]) => [name, row ?? '']),
  );
  assert.deepEqual([...rows.keys()], [...PRESET_NAMES]);
  for (const { name, images, verifies } of PRESETS) {
    const row = rows.get(name) ?? '';
    for (const image of images) assert.ok(row.includes(`\`${image}\``), `${name}: ${image}`);
    if (verifies.kind === 'identity') assert.ok(row.includes(`\`${verifies.identity}\``), name);
    const [, begin = '', end = ''] = /`([0-9a-f]+)…([0-9a-f]+)`/.exec(row) ?? [];
    if ('sha256' in verifies && verifies.sha256 !== undefined) {
      assert.ok(begin.length >= 8 && verifies.sha256.startsWith(begin) && verifies.sha256.endsWith(end), name);
    }
  }
});

test('every script that the README and CONTRIBUTING name exists', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const text = readFileSync('README.md', 'utf8') + readFileSync('CONTRIBUTING.md', 'utf8');
  const named = [...text.matchAll(/npm (?:run (?:--silent )?)?([a-z][a-z0-9:]*)/g)].map((match) => match[1] ?? '');
  const builtIn = ['ci', 'pack', 'run'];
  for (const name of named) assert.ok(name in scripts || builtIn.includes(name), name);
});

test('every document that another one links to exists', () => {
  for (const file of [
    'README.md',
    'SECURITY.md',
    'CONTRIBUTING.md',
    'ARCHITECTURE.md',
    'docs/errors.md',
    'docs/clients.md',
    'docs/operations.md',
    'docs/vouching.md',
    'docs/migrate-from-docker-content-trust.md',
    'docs/configuration.md',
    'docs/presets.md',
  ]) {
    const folder = file.startsWith('docs/') ? 'docs/' : '';
    for (const match of readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.doesNotThrow(() => readFileSync(`${folder}${match[1]}`), `${file} links to ${match[1]}`);
    }
  }
});
