import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image } from '../support/fake-registry.ts';
import { TestRepository } from './support/repository.ts';
import { TufClient } from './support/tuf-client.ts';

test('a founded repository vouches for nothing, and tuf-js follows it', async (t) => {
  const repo = await TestRepository.found(t);
  const client = await TufClient.start(t, repo.metadata);
  assert.equal(await client.target('docker.io/acme/app:1'), undefined);
});

test('what is vouched for is found by tuf-js with the digest and length of its manifest', async (t) => {
  const repo = await TestRepository.found(t);
  const client = await TufClient.start(t, repo.metadata);
  const app = image();
  assert.equal((await repo.vouch('docker.io/acme/app:1', app.bytes)).outcome, 'published');
  const found = await client.target('docker.io/acme/app:1');
  assert.deepEqual([found?.digest, found?.length], [app.digest, app.bytes.byteLength]);
});

test('a client that keeps its state follows one vouching after another', async (t) => {
  const repo = await TestRepository.found(t);
  const client = await TufClient.start(t, repo.metadata);
  for (const tag of ['1', '2', '3']) {
    const app = image({ layers: [tag] });
    await repo.vouch(`docker.io/acme/app:${tag}`, app.bytes);
    assert.equal((await client.target(`docker.io/acme/app:${tag}`))?.digest, app.digest);
  }
  assert.notEqual(await client.target('docker.io/acme/app:1'), undefined);
});
