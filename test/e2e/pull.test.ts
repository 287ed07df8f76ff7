import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { has } from './support/client.ts';
import { NotaryCli } from './support/notary-cli.ts';
import { once } from './support/once.ts';
import { Skopeo } from './support/skopeo.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';
import { findTools } from './support/tool.ts';

/** As image-spec spells this machine's architecture, and one that it is not. */
const HERE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const ELSEWHERE = HERE === 'arm64' ? 'amd64' : 'arm64';

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

const gateway = once(() => stage.gateway(stage.configuration(SIGNED_ONLY)));
const publisher = once(() => stage.publisher('owner'));

const app = once(async () => await (await publisher()).pushSigned('acme/app:1', { message: 'signed by Docker' }));

/** A manifest list made by Docker, which cannot sign one; the notary command can sign any digest. */
const list = once(async () => {
  const owner = await publisher();
  await owner.push('acme/multi:here', { message: 'for this machine' });
  await owner.push('acme/multi:elsewhere', { message: 'for another machine' }, `linux/${ELSEWHERE}`);
  await owner.pushIndex('acme/multi:1', { [HERE]: 'acme/multi:here', [ELSEWHERE]: 'acme/multi:elsewhere' });
  return await signStored('acme/multi', '1');
});

/** The same as an OCI index, converted by skopeo. */
const index = once(async () => {
  await list();
  const skopeo = await Skopeo.open(stage.workspace);
  const from = `docker://${stage.registry.address}/acme/multi:1`;
  const to = `docker://${stage.registry.address}/acme/oci:1`;
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const { code, stderr } = await skopeo.copy('--all', '--format', 'oci', ...plain, from, to);
  assert.equal(code, 0, stderr);
  return await signStored('acme/oci', '1');
});

async function signStored(repository: string, tag: string): Promise<string> {
  const stored = await stage.registry.manifest(repository, tag);
  const notary = new NotaryCli(await publisher());
  await notary.found(repository);
  await notary.signDigest(repository, tag, stored.digest, stored.bytes.byteLength);
  return stored.digest;
}

for (const client of clients) {
  const skip = stage.skip || client.skip;

  test(`${client.name} pulls a signed tag, and has the digest that was signed`, { skip }, async () => {
    const digest = await app();
    const pulled = has(await client.pull(`${UPSTREAM}/acme/app:1`, (await gateway()).address));
    assert.equal(pulled.digest, digest);
  });

  test(`${client.name} pulls a signed digest`, { skip }, async () => {
    const digest = await app();
    const pulled = has(await client.pull(`${UPSTREAM}/acme/app@${digest}`, (await gateway()).address));
    assert.equal(pulled.digest, digest);
  });

  for (const [what, image, make] of [
    ['a signed manifest list', 'acme/multi:1', list],
    ['a signed OCI index', 'acme/oci:1', index],
  ] as const) {
    test(`${client.name} pulls its platform of ${what}`, { skip }, async () => {
      const digest = await make();
      const pulled = has(await client.pull(`${UPSTREAM}/${image}`, (await gateway()).address));
      assert.equal(pulled.digest, digest);
      if (client.run !== undefined) assert.equal(await client.run(pulled), 'for this machine\n');
    });
  }

  test(`${client.name} pulls from the gateway's own address, as README.md says`, { skip }, async () => {
    const digest = await app();
    const { address } = await gateway();
    const pulled = has(await client.pullDirectly(`${address}/${UPSTREAM}/acme/app:1`));
    assert.equal(pulled.digest, digest);
  });

  if (client.run === undefined) continue;
  const { run } = client;
  test(`${client.name} runs what it pulled`, { skip }, async () => {
    await app();
    const pulled = has(await client.pull(`${UPSTREAM}/acme/app:1`, (await gateway()).address));
    assert.equal(await run.call(client, pulled), 'signed by Docker\n');
  });
}

for (const [at, cli] of findTools('docker').entries()) {
  test(`what ${cli} signs is admitted`, { skip: stage.skip }, async () => {
    const owner = await stage.publisher(`owner-${at}`, cli);
    const digest = await owner.pushSigned(`acme/cli-${at}:1`, { message: `signed by ${cli}` });
    const { status, headers } = await (await gateway()).manifest(`${UPSTREAM}/acme/cli-${at}`, '1');
    assert.deepEqual([status, headers['docker-content-digest']], [200, digest]);
  });
}
