import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { presetBlock } from '../../bin/preset-block.ts';
import { findPreset, PRESET_NAMES, PRESETS } from '../../config/preset-catalog.ts';
import { imagesOf, isWithin } from '../../config/preset-scope.ts';
import { UNSIGNED } from '../../config/presets/unsigned.ts';
import { checkImagePattern } from '../../config/schema/image-pattern.ts';
import { compilePattern } from '../../trust/rule.ts';
import { problemsOf, read } from './config-folder.ts';
import { PUBLIC_KEY } from './pem.ts';

/** SHA-256 of the SubjectPublicKeyInfo of every key that a preset embeds or pins. A change here is a change of whom we believe. */
const PINNED: Readonly<Record<string, string>> = {
  'red-hat': 'ba9d26350d78893a20f337e2153a113108bfcf064085afaee60d446e63405576',
  'docker-hardened-images': '118ba556dd52f4aec67018efd316c285c783cd3e54cc0f4927605715c643887c',
};

/** Whom the keyless ones believe, as the publishers' pages say it. */
const IDENTITIES: Readonly<Record<string, readonly [issuer: string, identity: string]>> = {
  kubernetes: ['https://accounts.google.com', 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com'],
  distroless: ['https://accounts.google.com', 'keyless@distroless.iam.gserviceaccount.com'],
  chainguard: [
    'https://token.actions.githubusercontent.com',
    'https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main',
  ],
  sigstore: ['https://accounts.google.com', 'keyless@projectsigstore.iam.gserviceaccount.com'],
  flux: ['https://token.actions.githubusercontent.com', 'https://github.com/fluxcd/*'],
  cilium: [
    'https://token.actions.githubusercontent.com',
    'https://github.com/cilium/cilium/.github/workflows/build-images-releases.yaml@refs/tags/*',
  ],
};

test('there are the ten presets, a file each under its own name', () => {
  const files = globSync('config/presets/*.ts').map((file) => basename(file, '.ts'));
  assert.deepEqual(files.filter((name) => name !== 'unsigned').sort(), [...PRESET_NAMES].sort());
  assert.equal(PRESETS.length, 10);
  assert.equal(findPreset('kubernetes')?.publisher, 'Kubernetes');
  assert.equal(findPreset('__proto__'), undefined);
});

for (const preset of PRESETS) {
  test(`the preset ${preset.name} says what it is, where that is documented and when it was checked`, () => {
    assert.match(preset.name, /^[a-z][a-z-]+$/);
    assert.ok(Number.isSafeInteger(preset.version) && preset.version >= 1);
    assert.match(preset.source, /^https:\/\/\S+$/);
    assert.equal(new Date(`${preset.checked}T00:00:00Z`).toISOString().slice(0, 10), preset.checked);
    for (const text of [preset.note, ...preset.gaps]) assert.match(text, /^[A-Z](?:[^.]|\.(?=\S))*\.$/, text);
    assert.ok(preset.publisher !== '' && preset.signedBy !== '');
  });

  test(`the images of ${preset.name} are patterns that compile, and its example is one of them`, () => {
    const images = imagesOf(preset, 'Acme');
    const name = preset.example.replace(/:[^:/]*$/, '');
    for (const image of images) assert.equal(checkImagePattern(image), image);
    assert.ok(images.map(compilePattern).some((pattern) => pattern.name.test(name)));
    assert.ok(isWithin(preset.example, images));
  });

  test(`the configuration to paste for ${preset.name} is one without mistakes and warnings`, async (t) => {
    const files = { 'dhi-2.pub': PUBLIC_KEY, 'istio-key.pub': PUBLIC_KEY, 'istio-key-v2.pub': PUBLIC_KEY };
    if (preset.name !== 'docker-hardened-images') {
      const { warnings, policy, authorities } = await read(t, presetBlock(preset), files);
      const [authority] = authorities;
      assert.ok(authority?.kind === 'cosign');
      assert.deepEqual([warnings, policy.length, authority.preset?.name], [[], 1, preset.name]);
      return;
    }
    // Its key is none that could be here: all else must be right.
    const problems = await problemsOf(t, presetBlock(preset), files);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['authorities.docker-hardened-images.key'],
    );
  });
}

test('the keyless presets believe exactly the documented issuer and identity, which the configuration takes as such', async (t) => {
  const keyless = PRESETS.flatMap(({ name, verifies }) =>
    verifies.kind === 'identity' ? [{ name, ...verifies }] : [],
  );
  assert.deepEqual(
    Object.fromEntries(keyless.map(({ name, issuer, identity }) => [name, [issuer, identity]])),
    IDENTITIES,
  );
  for (const { issuer, identity } of keyless) {
    const written = `authorities: { a: { type: cosign, issuer: "${issuer}", identity: "${identity}" } }`;
    assert.equal((await read(t, written)).authorities.length, 1);
  }
});

test('every key that is embedded or pinned has the hash that is written here', () => {
  const pinned = PRESETS.flatMap(({ name, verifies }): [string, string][] =>
    'sha256' in verifies && verifies.sha256 !== undefined ? [[name, verifies.sha256]] : [],
  );
  assert.deepEqual(Object.fromEntries(pinned), PINNED);
  for (const { name, verifies } of PRESETS) {
    if (verifies.kind !== 'key') continue;
    const spki = createPublicKey(verifies.pem).export({ type: 'spki', format: 'der' });
    assert.equal(createHash('sha256').update(spki).digest('hex'), PINNED[name]);
  }
});

test('no publisher without documentation has a preset', () => {
  for (const { name, images, instead } of UNSIGNED) {
    assert.ok(!PRESET_NAMES.includes(name));
    for (const image of images) {
      assert.equal(checkImagePattern(image), image);
      assert.ok(!PRESETS.some((preset) => isWithin(image, imagesOf(preset))));
    }
    assert.match(instead, /dhi\.io.*cgr\.dev|cgr\.dev.*dhi\.io/);
  }
  assert.deepEqual(
    UNSIGNED.map(({ name }) => name),
    ['docker-official-images', 'bitnami'],
  );
});

/** Whether everything of a pattern lies within a scope. When in doubt, no. */
const WITHIN: readonly [pattern: string, scope: string, within: boolean][] = [
  ['registry.k8s.io/**', 'registry.k8s.io/**', true],
  ['registry.k8s.io/pause', 'registry.k8s.io/**', true],
  ['registry.k8s.io/pause:3.*', 'registry.k8s.io/**', true],
  ['registry.k8s.io/ingress-nginx/*', 'registry.k8s.io/**', true],
  ['registry.k8s.io', 'registry.k8s.io/**', false],
  ['*/pause', 'registry.k8s.io/**', false],
  ['**', 'registry.k8s.io/**', false],
  ['gcr.io/distroless/static', 'gcr.io/distroless/*', true],
  ['gcr.io/distroless/*-debug', 'gcr.io/distroless/*', true],
  ['gcr.io/distroless/**', 'gcr.io/distroless/*', false],
  ['gcr.io/distroless/a/b', 'gcr.io/distroless/*', false],
  ['gcr.io/distroless', 'gcr.io/distroless/*', false],
  ['gcr.io/**', 'gcr.io/distroless/*', false],
  ['gcr.io/*/static', 'gcr.io/distroless/*', false],
  ['ghcr.io/acme/**', 'ghcr.io/acme/**', true],
  ['ghcr.io/acme-evil/**', 'ghcr.io/acme/**', false],
];

for (const [pattern, scope, within] of WITHIN) {
  test(`${pattern} is ${within ? '' : 'not '}within ${scope}`, () => assert.equal(isWithin(pattern, [scope]), within));
}
