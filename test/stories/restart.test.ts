import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { NotaryAuthority } from '../../trust/notary/authority.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { NotaryFetch } from '../support/notary-fetch.ts';
import { NotaryRepository } from '../support/notary-repository.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { SignedTargets } from '../support/signed-targets.ts';
import { told } from '../support/told.ts';

const LAYER = Buffer.alloc(100_000, 'layer');
const child = image({ layers: [LAYER] });
const multi = index([child, image({ layers: ['another platform'] })]);

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-restart-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('after a restart everything that was pulled is there, and the upstream is not asked for it again', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push('app', multi, '1');
  const signed = new SignedTargets();
  signed.sign('corp/app', '1', multi.digest);
  const options = { upstreams: { corp: registry }, folder: await folderOf(t), signed };
  const paths = ['manifests/1', `manifests/${multi.digest}`, `manifests/${child.digest}`, `blobs/${child.layers[0]}`];
  const before = await TestGateway.start(t, options);
  for (const path of paths) assert.equal((await receive(`${before.url}/v2/corp/app/${path}`)).status, 200);
  await before.close();

  const asked = registry.requests.length;
  const after = await TestGateway.start(t, options);
  // A client that has the manifests goes straight for the blob: no pull window is open, so what lists it is judged anew.
  for (const path of [...paths].reverse()) {
    const answer = await receive(`${after.url}/v2/corp/app/${path}`);
    assert.equal(answer.status, 200, path);
    if (path.startsWith('blobs')) assert.deepEqual(answer.body, LAYER);
  }
  assert.equal(registry.requests.length, asked);
  assert.ok(signed.questions.length > 0);
});

test('after a restart what is not signed any more is refused, though all of it is on disk', async (t) => {
  const registry = await FakeRegistry.start(t);
  registry.push('app', multi, '1');
  const signed = new SignedTargets();
  signed.sign('corp/app', '1', multi.digest);
  const options = { upstreams: { corp: registry }, folder: await folderOf(t), signed };
  const before = await TestGateway.start(t, options);
  const paths = ['manifests/1', `manifests/${child.digest}`, `blobs/${child.layers[0]}`];
  for (const path of paths) assert.equal((await receive(`${before.url}/v2/corp/app/${path}`)).status, 200);
  await before.close();
  signed.withdraw('corp/app', '1');

  const after = await TestGateway.start(t, options);
  for (const path of paths) assert.equal((await receive(`${after.url}/v2/corp/app/${path}`)).status, 403, path);
});

test('after a restart trust is where it was: served while the trust server is out, and never led back', async (t) => {
  const folder = await folderOf(t);
  const registry = await FakeRegistry.start(t);
  registry.push('app', child, '1');
  const clock = new Date('2026-11-24T12:00:00Z');
  const repository = new NotaryRepository({ gun: 'corp/app', now: clock });
  repository.sign('1', { digest: child.digest, size: child.bytes.byteLength });
  repository.publish(clock);
  const older = repository.stored();
  repository.publish(clock);
  const fetch = new NotaryFetch(repository);
  const start = () => {
    const authority = new NotaryAuthority({
      name: 'dct',
      server: 'https://notary.example',
      gun: '{registry}/{repository}',
      pin: { kind: 'rootKeys', ids: [repository.rootKeyId] },
      requireReleases: false,
      signers: [],
      refresh: 0,
      folder: join(folder, 'trust'),
      readOnly: false,
      fetch,
      log: new RecordingLog(),
      now: () => clock,
      schedule: () => () => undefined,
    });
    t.after(() => authority.close());
    const rules = [{ images: '**', require: { kind: 'all', authorities: ['dct'] } }] as const;
    return TestGateway.start(t, { upstreams: { corp: registry }, folder, rules, authorities: [authority] });
  };
  const pull = async (gateway: TestGateway) => told(await receive(`${gateway.url}/v2/corp/app/manifests/1`));

  const first = await start();
  assert.equal(await pull(first), '200');
  await first.close();

  fetch.fault = new MetadataUnavailable('out');
  const second = await start();
  assert.equal(await pull(second), '200');
  await second.close();

  fetch.fault = undefined;
  repository.restore(older);
  const third = await start();
  assert.equal(await pull(third), '403 DENIED METADATA_ROLLBACK');
});
