import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** `oci <- config, upstream, cache, trust <- proxy, publish <- bin`: what each folder may import beside itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  oci: [],
  config: ['oci'],
  upstream: ['oci'],
  cache: ['oci'],
  trust: ['oci'],
  proxy: ['oci', 'config', 'upstream', 'cache', 'trust'],
  publish: ['oci', 'config', 'upstream', 'cache', 'trust'],
  bin: ['oci', 'config', 'upstream', 'cache', 'trust', 'proxy', 'publish'],
};

/** Each package has one door: a file, or a folder. */
const DOORS: Record<string, string> = {
  koa: 'proxy/',
  'koa-router': 'proxy/routes.ts',
  got: 'upstream/',
  'lru-cache': 'cache/',
  zod: 'config/',
  yaml: 'config/',
  pino: 'bin/log.ts',
  commander: 'bin/',
  'tuf-js': 'trust/tuf/',
  '@tufjs/models': 'trust/tuf/',
  '@sigstore/tuf': 'trust/sigstore/',
  '@sigstore/verify': 'trust/sigstore/',
  '@sigstore/bundle': 'trust/sigstore/',
};

const LINE_LIMIT = 250;

interface Import {
  readonly file: string;
  readonly from: string;
}

const files = Object.keys(MAY_IMPORT).flatMap((folder) => globSync(`${folder}/**/*.ts`));

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/gm)].map(
    (match) => ({ file, from: match[1] ?? match[2] ?? '' }),
  );
}

function forbiddenBy(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from }) => from.startsWith('.'))
    .filter(({ file, from }) => {
      const [own = ''] = file.split('/');
      const [target = ''] = normalize(join(dirname(file), from)).split('/');
      return target !== own && !(MAY_IMPORT[own] ?? []).includes(target);
    })
    .map(({ file, from }) => `${file} imports ${from}`);
}

test('folders import only what stands to their left', () => {
  const imports = files.flatMap(importsOf);
  assert.ok(imports.length > 100, 'the imports were found');
  assert.deepEqual(forbiddenBy(imports), []);
});

test('the import rule catches a trust file that imports the cache', () => {
  assert.deepEqual(forbiddenBy([{ file: 'trust/judge.ts', from: '../cache/recent.ts' }]), [
    'trust/judge.ts imports ../cache/recent.ts',
  ]);
});

test('each package has one door, and no other package is imported', () => {
  const outside = files
    .flatMap(importsOf)
    .filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'))
    .filter(({ file, from }) => !file.startsWith(DOORS[packageOf(from)] ?? 'nowhere'))
    .map(({ file, from }) => `${file} imports ${from}`);
  assert.deepEqual(outside, []);
});

test('every runtime dependency has a door, and every door a dependency', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(DOORS).sort());
});

test(`no source file is longer than ${LINE_LIMIT} lines`, () => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length - 1 > LINE_LIMIT);
  assert.deepEqual(long, []);
});

test('only trust makes an admitted manifest: nowhere else is the type asserted', () => {
  const casts = files.filter((file) => /as (?:unknown as )?AdmittedManifest/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(casts, ['trust/admit.ts']);
});

test('only the parsers of oci make names, tags and digests out of text that came from outside', () => {
  const casts = files.filter((file) => / as (?:RepositoryName|UpstreamName)\b/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(casts, ['oci/reference.ts']);
});

function packageOf(from: string): string {
  const [scope = '', name = ''] = from.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}
