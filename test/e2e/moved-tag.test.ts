import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { has } from './support/client.ts';
import { assertDenied } from './support/denied.ts';
import { once } from './support/once.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';

const IMAGE = `${UPSTREAM}/acme/app`;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

/** Signed and pushed; then somebody with a password of the registry, and no key, pushes another image to the tag. */
const moved = once(async () => {
  const publisher = await stage.publisher('owner');
  const signed = await publisher.pushSigned('acme/app:1', { message: 'what was signed' });
  const other = await publisher.push('acme/app:1', { message: 'what nobody signed' });
  assert.equal(
    (await stage.registry.manifest('acme/app', '1')).digest,
    other,
    'expected the registry to have moved it',
  );
  return { gateway: await stage.gateway(stage.configuration(SIGNED_ONLY)), signed, other };
});

for (const client of clients) {
  const skip = stage.skip || client.skip;

  test(`${client.name} gets what was signed, whatever the registry says the tag is now`, { skip }, async () => {
    const { gateway, signed } = await moved();
    const pulled = has(await client.pull(`${IMAGE}:1`, gateway.address));
    assert.equal(pulled.digest, signed);
    if (client.run !== undefined) assert.equal(await client.run(pulled), 'what was signed\n');
  });

  test(`${client.name} does not get what the tag was moved to, asking for its digest`, { skip }, async () => {
    const { gateway, other } = await moved();
    await assertDenied(client, gateway, `${IMAGE}@${other}`, 'DIGEST_NOT_SIGNED');
  });
}
