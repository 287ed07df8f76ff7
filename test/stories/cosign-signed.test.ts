import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { cosignAuthority } from '../support/cosign-authority.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { TestGateway, type TestRule } from '../support/gateway.ts';
import { bundleImage } from '../support/signature-images.ts';
import { imageStatement } from '../support/image-statement.ts';
import { ecKey } from '../support/key-pair.ts';
import { SigstorePublisher } from '../support/sigstore-publisher.ts';
import { told } from '../support/told.ts';
import { keyed } from '../trust/sigstore/cases.ts';

const publisher = await SigstorePublisher.create();
const key = ecKey();

/** A gateway whose only authority for most images is a key, and whose `signer` resolves tags beside it. */
async function start(t: import('node:test').TestContext, require: TestRule['require']) {
  const registry = await FakeRegistry.start(t);
  const release = cosignAuthority(t, registry, publisher, keyed([key]), { root: undefined });
  const rules = [{ images: '**', ...(require === undefined ? {} : { require }) }];
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, rules, authorities: [release] });
  const sign = async (of: MemoryImage) => {
    const bundle = await publisher.statement(imageStatement(of.digest), { key, log: 'none' });
    registry.push('app', bundleImage(bundle, of));
  };
  const pull = async (reference: string) => {
    return told(await request(gateway.url).get(`/v2/corp/app/manifests/${reference}`).buffer(true));
  };
  return { registry, gateway, sign, pull };
}

const RELEASE = { kind: 'all', authorities: ['release'] } as const;

test('a signed image is pulled by tag and by digest with its blobs, an unsigned one is not', async (t) => {
  const { registry, gateway, sign, pull } = await start(t, RELEASE);
  const [signed, unsigned] = [image({ layers: ['signed'] }), image({ layers: ['unsigned'] })];
  registry.push('app', signed, '1');
  registry.push('app', unsigned, '2');
  await sign(signed);
  assert.equal(await pull('1'), '200');
  assert.equal(await pull(signed.digest), '200');
  await request(gateway.url).get(`/v2/corp/app/blobs/${signed.layers[0]}`).expect(200);
  assert.equal(await pull('2'), '403 DENIED NOT_SIGNED');
  assert.equal(await pull(unsigned.digest), '403 DENIED NOT_SIGNED');
  await request(gateway.url).get(`/v2/corp/app/blobs/${unsigned.layers[0]}`).expect(403);
});

test('the signature of an index is good for what it lists', async (t) => {
  const { registry, gateway, sign, pull } = await start(t, RELEASE);
  const platform = image({ layers: ['amd64'] });
  const top = index([platform, image({ layers: ['arm64'] })]);
  registry.push('app', top, '1');
  await sign(top);
  assert.equal(await pull(platform.digest), '403 DENIED NOT_SIGNED', 'nothing led to it yet');
  assert.equal(await pull('1'), '200');
  gateway.advance(11_000);
  assert.equal(await pull(platform.digest), '200');
});

test('the signature of a platform is not one of the index that lists it', async (t) => {
  const { registry, sign, pull } = await start(t, RELEASE);
  const platform = image({ layers: ['amd64'] });
  registry.push('app', index([platform, image({ layers: ['arm64'] })]), '1');
  await sign(platform);
  assert.equal(await pull('1'), '403 DENIED NOT_SIGNED');
  assert.equal(await pull(platform.digest), '200');
});

test('a signature beside signed tags: both must mean one digest', async (t) => {
  const { registry, gateway, sign, pull } = await start(t, { kind: 'all', authorities: ['signer', 'release'] });
  const [older, newer] = [image({ layers: ['older'] }), image({ layers: ['newer'] })];
  registry.push('app', newer, '1');
  registry.push('app', older, '1');
  await sign(older);
  gateway.signed.sign('corp/app', '1', newer.digest);
  // The tag was moved back to an image that is signed: only the signed tag knows better.
  assert.equal(await pull('1'), '403 DENIED NOT_SIGNED');
  await sign(newer);
  gateway.advance(11_000);
  assert.equal(await pull('1'), '200');
});

test('one of two kinds of authority is enough where the rule says so', async (t) => {
  const { registry, gateway, sign, pull } = await start(t, { kind: 'any', authorities: ['signer', 'release'] });
  const [byTag, byKey, neither] = [image({ layers: ['a'] }), image({ layers: ['b'] }), image({ layers: ['c'] })];
  registry.push('app', byTag, 'tag');
  registry.push('app', byKey, 'key');
  registry.push('app', neither, 'neither');
  gateway.signed.sign('corp/app', 'tag', byTag.digest);
  await sign(byKey);
  assert.equal(await pull('tag'), '200');
  assert.equal(await pull('key'), '200');
  assert.match(await pull('neither'), /^403 DENIED /);
});

test('signatures that cannot be looked for are no refusal', async (t) => {
  const { registry, pull } = await start(t, RELEASE);
  registry.push('app', image(), '1');
  registry.spoil({ kind: 'referrers' }, { status: 429, headers: { 'retry-after': '30' } });
  assert.equal(await pull('1'), '503 UNAVAILABLE TRUST_UNREACHABLE');
});
