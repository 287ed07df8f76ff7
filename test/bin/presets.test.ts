import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { PRESETS } from '../../config/preset-catalog.ts';
import { UNSIGNED } from '../../config/presets/unsigned.ts';
import { docklock, serving } from '../support/command-line.ts';

test('presets lists every publisher with its images, who signs and when that was checked', async () => {
  const { code, out } = await docklock('presets');
  assert.equal(code, 0);
  const text = out.replaceAll(/\s+/g, ' ');
  for (const { name, images, signedBy, checked } of PRESETS) {
    assert.match(out, new RegExp(`^${name} `, 'm'));
    for (const image of images) assert.ok(text.includes(image.replace('{owner}', '<owner>')), image);
    assert.ok(text.includes(`signed by ${signedBy}, checked ${checked}`), name);
  }
  assert.ok(!out.includes('\u001b'), 'no colours when it is not a terminal');
  assert.ok(out.split('\n').every((line) => line.length <= 96));
});

test('presets says whose images have none, why, and what is open', async () => {
  const text = (await docklock('presets')).out.replaceAll(/\s+/g, ' ');
  assert.match(
    text,
    /No preset, since there is nothing to verify them with\. Pull a signed alternative, or vouch .*docklock vouch/,
  );
  for (const { name, why } of UNSIGNED) assert.ok(text.includes(name) && text.includes(why), name);
});

test('presets NAME explains one: all of its data, what to paste, what it does not cover', async () => {
  const { code, out } = await docklock('presets', 'kubernetes');
  assert.equal(code, 0);
  for (const said of [
    /registry\.k8s\.io\/\*\*/,
    /krel-trust@k8s-releng-prod\.iam\.gserviceaccount\.com/,
    /https:\/\/accounts\.google\.com/,
    /https:\/\/kubernetes\.io\/docs/,
    /2026-11-24, confidence high, preset version 1/,
    /^ {2}kubernetes: \{ preset: kubernetes \}$/m,
    /^docklock verify|Then: docklock verify registry\.k8s\.io\/pause/m,
    /Tags: a signature covers content, never a tag/,
    /Kubernetes 1\.24/,
  ]) {
    assert.match(out, said);
  }
});

test('a preset whose key is to be downloaded says where from, what it must be, and how to see that', async () => {
  const { out } = await docklock('presets', 'docker-hardened-images');
  assert.match(out, /https:\/\/dhi\.io\/keyring\/latest\.pub, to be saved as \.\/dhi-2\.pub/);
  assert.match(out, /pinned +SHA-256 118ba556dd52f4aec67018efd316c285c783cd3e54cc0f4927605715c643887c/);
  assert.match(out, /openssl pkey -pubin -in \.\/dhi-2\.pub/);
  const istio = (await docklock('presets', 'istio')).out;
  for (const key of ['istio-key.pub', 'istio-key-v2.pub']) assert.ok(istio.includes(`https://istio.io/misc/${key}`));
  assert.match(istio, /pinned +no, compare it yourself/);
});

test('presets NAME of a publisher without one says why and names the ways open', async () => {
  const { code, out } = await docklock('presets', 'docker-official-images');
  assert.equal(code, 0);
  assert.match(out, /There is no preset/);
  assert.match(
    out,
    /Ways open\n {2}- pull a signed alternative \(Docker Hardened Images at dhi\.io[\s\S]*docklock vouch/,
  );
});

test('presets --json has the data, and for one preset the configuration too', async () => {
  const all = JSON.parse((await docklock('presets', '--json')).out);
  assert.deepEqual(all, JSON.parse(JSON.stringify({ presets: PRESETS, unsigned: UNSIGNED })));
  const one = JSON.parse((await docklock('presets', 'flux', '--json')).out);
  assert.deepEqual(one.verifies.identity, 'https://github.com/fluxcd/*');
  assert.match(
    one.configuration,
    /^upstreams:\n {2}ghcr\.io: \{\}\n {2}docker\.io: \{ default: true \}\n\nauthorities:/,
  );
});

test('an unknown preset is a usage error that says which there are', async () => {
  const { code, out, err } = await docklock('presets', 'kubernets');
  assert.deepEqual([code, out], [64, '']);
  assert.match(
    err,
    /expected the name of a preset \(kubernetes, .*bitnami\), got "kubernets"; did you mean kubernetes\?/,
  );
});

/** The configuration of `npm start` on a port and in a folder of its own. */
async function standard(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-standard-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const text = await readFile('docklock.yaml', 'utf8');
  const config = join(folder, 'docklock.yaml');
  await writeFile(config, text.replace('listen: 127.0.0.1:5000', 'listen: 127.0.0.1:0'));
  return config;
}

test('the configuration of npm start serves without a network, and its welcome names an image that is signed', async (t) => {
  const server = await serving(t, await standard(t));
  await request(server.url).get('/v2/').expect(200);
  assert.match(server.text.out, /presets +kubernetes, distroless, chainguard, sigstore, flux, cilium, red-hat/);
  assert.match(server.text.out, /docker pull 127\.0\.0\.1:\d+\/registry\.k8s\.io\/pause:3\.10\n/);
  assert.match(server.text.out, /ctr images pull --plain-http 127\.0\.0\.1:\d+\/registry\.k8s\.io\/pause:3\.10\n/);
  assert.match(server.text.out, /7 rules; what none covers is refused/);
  assert.equal(await server.stop(), 0);
});

test('with the configuration of npm start an official image is refused, and the answer names the ways open', async (t) => {
  const server = await serving(t, await standard(t));
  for (const path of ['/v2/library/nginx/manifests/latest', '/v2/docker.io/library/nginx/manifests/latest']) {
    const { body } = await request(server.url).get(path).expect(403);
    assert.equal(body.errors[0].detail.reason, 'NO_RULE');
    assert.match(
      body.errors[0].message,
      /dhi\.io.*cgr\.dev\/chainguard.*docklock vouch.*docklock presets docker-official-images/,
    );
  }
});
