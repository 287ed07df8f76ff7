import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { PRESETS } from '../../config/preset-catalog.ts';
import { readConfig } from '../../config/read.ts';
import { configSchema } from '../../config/schema/config-schema.ts';
import { compilePattern } from '../../trust/rule.ts';
import { folderWith, read } from './config-folder.ts';
import { CERTIFICATE, PRIVATE_KEY } from './pem.ts';

const ROOT = new URL('../../', import.meta.url);
const DOCUMENT = await readFile(new URL('docs/configuration.md', ROOT), 'utf8');
const DEFAULT_CONFIG = await readFile(new URL('docklock.yaml', ROOT), 'utf8');

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly default?: unknown;
}

/** Every key of the schema as `policy.require.any`, with `required`, its default in Markdown, or undefined. */
function keysOf(schema: JsonSchema, path: string): [key: string, said: string | undefined][] {
  const { properties = {}, required = [], additionalProperties, anyOf = [], oneOf = [], items } = schema;
  const named = typeof additionalProperties === 'object' ? keysOf(additionalProperties, `${path}.<name>`) : [];
  const inside = [...anyOf, ...oneOf, ...(items === undefined ? [] : [items])].flatMap((part) => keysOf(part, path));
  const own = Object.entries(properties).flatMap(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [[at, saidOf(value, required.includes(key))] as [string, string | undefined], ...keysOf(value, at)];
  });
  return [...own, ...named, ...inside];
}

function saidOf({ default: standard }: JsonSchema, required: boolean): string | undefined {
  if (standard !== undefined && typeof standard !== 'object') return `\`${standard}\``;
  return required ? 'required' : undefined;
}

/** Every key that has a row in the document, with the cell of its default. */
function documented(): Map<string, string> {
  const rows = DOCUMENT.matchAll(/^\| `([A-Za-z.<>]+)` \| [^|]+ \| ([^|]*) \| .*\|$/gm);
  return new Map([...rows].map(([, key = '', standard = '']) => [key, standard.trim()]));
}

const SCHEMA = new Map(keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, ''));

test('every key has a row in the document, and every row is about a key', () => {
  assert.ok(SCHEMA.size > 40);
  assert.deepEqual([...documented().keys()].sort(), [...SCHEMA.keys()].sort());
});

test('the document names the default of every key that has one, and what is required', () => {
  const rows = documented();
  for (const [key, standard] of SCHEMA) if (standard !== undefined) assert.equal(rows.get(key), standard, key);
  for (const [key, said] of rows) if (said === 'required') assert.equal(SCHEMA.get(key), 'required', key);
});

test('the example of the document is a configuration without mistakes', async (t) => {
  const example = /```yaml\n([\s\S]*?)```/.exec(DOCUMENT)?.[1] ?? '';
  const files = { 'tls.crt': CERTIFICATE, 'tls.key': PRIVATE_KEY, 'corp-ca.crt': CERTIFICATE, 'corp.password': 'x' };
  const { policy, warnings } = await read(t, example, files);
  assert.equal(policy.length, 4);
  assert.equal(warnings.length, 2, 'for mode: warn and unsafeAllowUnsigned');
});

test('the configuration of npm start serves seven registries on this machine, with the presets of their publishers', async () => {
  const config = await readConfig(new URL('docklock.yaml', ROOT).pathname);
  assert.deepEqual(config.listen, [{ address: '127.0.0.1', port: 5000 }]);
  assert.deepEqual(
    config.upstreams.map(({ name }) => String(name)),
    ['docker.io', 'ghcr.io', 'quay.io', 'gcr.io', 'registry.k8s.io', 'cgr.dev', 'registry.access.redhat.com'],
  );
  assert.equal(config.defaultUpstream, 'docker.io');
  assert.equal(config.data, new URL('docklock-data', ROOT).pathname);
  const presets = config.authorities.map((authority) => authority.kind === 'cosign' && authority.preset?.name);
  assert.deepEqual(presets, ['kubernetes', 'distroless', 'chainguard', 'sigstore', 'flux', 'cilium', 'red-hat']);
  assert.ok(config.policy.every(({ mode, unsafeAllowUnsigned }) => mode === 'enforce' && !unsafeAllowUnsigned));
  assert.deepEqual(config.warnings, []);
});

test('every preset that needs nothing of its user is in that configuration', async () => {
  const { authorities } = await readConfig(new URL('docklock.yaml', ROOT).pathname);
  const enabled = authorities.map(({ name }) => name).sort();
  const ready = PRESETS.filter(({ verifies }) => verifies.kind === 'identity' || verifies.kind === 'key');
  assert.deepEqual(enabled, ready.map(({ name }) => name).sort());
});

/** Which authority the rules of npm start ask about an image; none: refused before anything is asked of a registry. */
const ROUTES: readonly [image: string, authority: string | undefined][] = [
  ['registry.k8s.io/pause', 'kubernetes'],
  ['registry.k8s.io/ingress-nginx/controller', 'kubernetes'],
  ['gcr.io/distroless/static-debian12', 'distroless'],
  ['gcr.io/distroless-evil/static', undefined],
  ['gcr.io/google-containers/pause', undefined],
  ['cgr.dev/chainguard/static', 'chainguard'],
  ['cgr.dev/acme/static', undefined],
  ['ghcr.io/sigstore/cosign/cosign', 'sigstore'],
  ['gcr.io/projectsigstore/cosign', 'sigstore'],
  ['ghcr.io/sigstore/rekor/rekor-server', undefined],
  ['ghcr.io/fluxcd/source-controller', 'flux'],
  ['docker.io/fluxcd/flux-cli', 'flux'],
  ['docker.io/fluxcd-evil/flux-cli', undefined],
  ['quay.io/cilium/cilium', 'cilium'],
  ['quay.io/other/cilium', undefined],
  ['registry.access.redhat.com/ubi9/ubi-micro', 'red-hat'],
  ['docker.io/library/nginx', undefined],
  ['docker.io/bitnami/redis', undefined],
  ['ghcr.io/acme/app', undefined],
];

for (const [image, authority] of ROUTES) {
  test(`npm start asks ${authority ?? 'nobody, and refuses'} for ${image}`, async () => {
    const { policy } = await readConfig(new URL('docklock.yaml', ROOT).pathname);
    const rule = policy.find(({ images }) => images.map(compilePattern).some((pattern) => pattern.name.test(image)));
    assert.deepEqual(rule?.require, authority && { kind: 'all', authorities: [authority] });
  });
}

test('the examples in that configuration work once their comment signs are taken away', async (t) => {
  const opened = DEFAULT_CONFIG.replaceAll(/^ {2}# (?=(?:[a-z]+: \{|- \{))/gm, '  ');
  const folder = await folderWith(t, { 'docklock.yaml': opened });
  const { authorities, policy, warnings } = await readConfig(join(folder, 'docklock.yaml'));
  assert.deepEqual(
    authorities.slice(7).map(({ name, kind }) => [name, kind]),
    [
      ['acme', 'cosign'],
      ['team', 'cosign'],
      ['dct', 'notary'],
    ],
  );
  assert.deepEqual(
    policy.slice(7).map(({ mode, unsafeAllowUnsigned }) => [mode, unsafeAllowUnsigned]),
    [
      ['enforce', false],
      ['warn', false],
      ['enforce', false],
      ['enforce', true],
    ],
  );
  assert.equal(warnings.length, 2, 'for mode: warn and unsafeAllowUnsigned');
});
