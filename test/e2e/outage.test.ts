import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CertificateAuthority } from './support/certificate-authority.ts';
import { has, terminalOf } from './support/client.ts';
import { assertDenied } from './support/denied.ts';
import { DockerRegistry } from './support/docker-registry.ts';
import { NotaryServer } from './support/notary-server.ts';
import { once } from './support/once.ts';
import { Publisher } from './support/publisher.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';
import { until } from './support/until.ts';

/** Longer than the shortest `maxAge` there is, one second; this is only where a test gives up. */
const STALE_LIMIT_MS = 20_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

/** One image went through the gateway while its registry was there, another one did not. Both are signed. */
const withoutRegistry = once(async () => {
  const registry = await DockerRegistry.start(stage.workspace);
  const publisher = await Publisher.open('owner', { ...stage.place, registry });
  const cached = await publisher.pushSigned('acme/cached:1', { message: 'kept by the gateway' });
  await publisher.pushSigned('acme/new:1', { message: 'never pulled before' });
  const gateway = await stage.gateway({
    ...stage.configuration(SIGNED_ONLY, { gun: `${registry.address}/{repository}` }),
    upstreams: { [UPSTREAM]: { url: registry.url } },
  });
  await gateway.pull(`${UPSTREAM}/acme/cached`, '1');
  await registry.stop();
  return { gateway, cached };
});

/** Two images, of which one may be served on day-old trust and the other one on no more than a second's. */
const withoutNotary = once(async () => {
  const notary = await NotaryServer.start(stage.workspace, await CertificateAuthority.create(stage.workspace));
  const publisher = await Publisher.open('owner', { ...stage.place, notary });
  const patient = await publisher.pushSigned('acme/patient:1', { message: 'a day will do' });
  await publisher.pushSigned('acme/strict:1', { message: 'a second is long' });
  const rule = (repository: string, maxAge: string) => ({
    images: `${UPSTREAM}/acme/${repository}`,
    require: ['dct'],
    freshness: { maxAge },
  });
  const gateway = await stage.gateway(
    stage.configuration([rule('patient', '1d'), rule('strict', '1s')], {
      server: notary.url,
      ca: notary.authority.cert,
    }),
  );
  for (const repository of ['patient', 'strict']) await gateway.pull(`${UPSTREAM}/acme/${repository}`, '1');
  await notary.stop();
  await until('the trust to become too old', STALE_LIMIT_MS, async () =>
    (await gateway.manifest(`${UPSTREAM}/acme/strict`, '1')).status === 200 ? undefined : true,
  );
  return { gateway, patient };
});

for (const client of clients) {
  const skip = stage.skip || client.skip;

  test(`${client.name} pulls what is in the cache while the registry is down`, { skip }, async () => {
    const { gateway, cached } = await withoutRegistry();
    const pulled = has(await client.pull(`${UPSTREAM}/acme/cached:1`, gateway.address));
    assert.equal(pulled.digest, cached);
    if (client.run !== undefined) assert.equal(await client.run(pulled), 'kept by the gateway\n');
  });

  test(`${client.name} does not get what is not in the cache while the registry is down`, { skip }, async () => {
    const { gateway } = await withoutRegistry();
    const terminal = terminalOf(await client.pull(`${UPSTREAM}/acme/new:1`, gateway.address));
    assert.match(terminal, /502 the upstream registry could not serve this/);
  });

  test(`${client.name} pulls on trust that is young enough while the trust server is down`, { skip }, async () => {
    const { gateway, patient } = await withoutNotary();
    assert.equal(has(await client.pull(`${UPSTREAM}/acme/patient:1`, gateway.address)).digest, patient);
  });

  test(`${client.name} does not pull on trust that is too old, and its user reads that it is unknown`, {
    skip,
  }, async () => {
    const { gateway } = await withoutNotary();
    await assertDenied(client, gateway, `${UPSTREAM}/acme/strict:1`, 'TRUST_STALE');
  });
}

test('a signed image that is not in the cache is no 404 while the registry is down, but 502', {
  skip: stage.skip,
}, async () => {
  const { gateway } = await withoutRegistry();
  const { status, code, reason, message } = await gateway.denial(`${UPSTREAM}/acme/new:1`);
  assert.deepEqual([status, code, reason], [502, 'UNAVAILABLE', 'UPSTREAM_UNREACHABLE'], message);
  const verified = await gateway.verify(`${UPSTREAM}/acme/new:1`);
  assert.equal(verified.code, 2, verified.stdout);
  assert.match(verified.stdout, /\[UPSTREAM_UNREACHABLE\]/);
});

test('an image whose trust is too old is undetermined, not refused, and when to ask again is said', {
  skip: stage.skip,
}, async () => {
  const { gateway } = await withoutNotary();
  const { status, headers } = await gateway.manifest(`${UPSTREAM}/acme/strict`, '1');
  assert.equal(status, 503);
  assert.match(String(headers['retry-after']), /^\d+$/);
});
