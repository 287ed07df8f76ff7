import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { has } from './support/client.ts';
import { assertDenied } from './support/denied.ts';
import type { Gateway } from './support/gateway.ts';
import { NotaryCli } from './support/notary-cli.ts';
import { once } from './support/once.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';
import { until } from './support/until.ts';

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();
const { skip } = stage;

const owner = once(() => stage.publisher('owner'));
const notary = once(async () => new NotaryCli(await owner()));

/** Every key of a repository replaced, one after the other, while one gateway runs and another one is away. */
const rotated = once(async () => {
  const first = await (await owner()).pushSigned('acme/rotated:1', { message: 'before' });
  const pin = await (await owner()).rootKeyId('acme/rotated');
  const configuration = stage.configuration(SIGNED_ONLY, { pin: { rootKeys: [pin] } });
  const [running, away] = await Promise.all([stage.gateway(configuration), stage.gateway(configuration)]);
  for (const gateway of [running, away]) await admits(gateway, 'acme/rotated', '1', first);
  await away.stop();
  const { bytes } = await stage.registry.manifest('acme/rotated', '1');
  let tags = 0;

  for (const [role, holder] of [
    ['snapshot', 'publisher'],
    ['snapshot', 'server'],
    ['timestamp', 'server'],
    ['targets', 'publisher'],
    ['root', 'publisher'],
    ['root', 'publisher'],
  ] as const) {
    await (await notary()).rotate('acme/rotated', role, holder);
    // A tag that only the new keys signed: admitted when the gateway has really taken them up.
    tags += 1;
    await (await notary()).signDigest('acme/rotated', `after-${tags}`, first, bytes.byteLength);
    await admits(running, 'acme/rotated', `after-${tags}`, first);
  }
  const second = await (await owner()).pushSigned('acme/rotated:2', { message: 'after' });
  await away.restart();
  return { pin, running, away, first, second };
});

test('a gateway that runs through the rotation of every key admits what the old and the new keys signed', {
  skip,
}, async () => {
  const { running, first, second } = await rotated();
  await admits(running, 'acme/rotated', '1', first);
  await admits(running, 'acme/rotated', '2', second);
});

test('a gateway that was away follows the intermediate roots from the one it knew', { skip }, async () => {
  const { away, first, second } = await rotated();
  const version = await stage.notary.version((await owner()).gun('acme/rotated'), 'root');
  assert.ok(version > 2, `expected roots in between, the newest is version ${version}`);
  const asked = await stage.notary.log();
  await admits(away, 'acme/rotated', '1', first);
  await admits(away, 'acme/rotated', '2', second);
  const since = (await stage.notary.log()).slice(asked.length);
  assert.match(since, new RegExp(`/${version - 1}\\.root\\.json`), 'expected an intermediate root to be asked for');
});

test('a new gateway that pins the first root key follows the roots to the newest, one that pins the newest needs none', {
  skip,
}, async () => {
  const { pin, first } = await rotated();
  const newest = await (await owner()).rootKeyId('acme/rotated');
  assert.notEqual(newest, pin);
  for (const key of [pin, newest]) {
    const fresh = await stage.gateway(stage.configuration(SIGNED_ONLY, { pin: { rootKeys: [key] } }));
    await admits(fresh, 'acme/rotated', '1', first);
  }
});

for (const client of clients) {
  test(`${client.name} pulls from both gateways after the rotation of every key`, {
    skip: skip || client.skip,
  }, async () => {
    const { running, away, first, second } = await rotated();
    const image = `${UPSTREAM}/acme/rotated`;
    assert.equal(has(await client.pull(`${image}:1`, running.address)).digest, first);
    assert.equal(has(await client.pull(`${image}:2`, running.address)).digest, second);
    assert.equal(has(await client.pull(`${image}:2`, away.address)).digest, second);
  });
}

/** Two people must sign, with keys added by `docker trust`; then one of them leaves. */
const team = once(async () => {
  const [alice, bob] = [await stage.publisher('alice'), await stage.publisher('bob')];
  await (await owner()).pushSigned('acme/team:0', { message: 'founds the repository' });
  for (const person of [alice, bob]) await (await owner()).addSigner('acme/team', person);
  const digest = await alice.push('acme/team:1', { message: 'signed by both' });
  const gateway = await stage.gateway(requiring('alice', 'bob'));
  const missing = async () => (await gateway.denial(`${UPSTREAM}/acme/team:1`)).reason;
  await alice.sign('acme/team:1');
  const afterOne = await missing();
  await bob.sign('acme/team:1');
  await admits(gateway, 'acme/team', '1', digest);
  const whileBoth = await Promise.all(
    clients.map((client) => (client.skip ? undefined : client.pull(`${UPSTREAM}/acme/team:1`, gateway.address))),
  );
  await (await owner()).removeSigner('acme/team', bob);
  await denies(gateway, 'acme/team', '1');
  return { gateway, digest, afterOne, whileBoth };
});

/** The same with the `notary` command, whose delegations may have any name. */
const delegated = once(async () => {
  const ci = await stage.publisher('ci');
  await (await owner()).pushSigned('acme/built:1', { message: 'signed by owner and builder' });
  await (await notary()).delegate('acme/built', 'targets/ci', ci);
  const { digest, bytes } = await stage.registry.manifest('acme/built', '1');
  await new NotaryCli(ci).signDigest('acme/built', '1', digest, bytes.byteLength, 'targets/ci');
  const gateway = await stage.gateway(requiring('ci'));
  await admits(gateway, 'acme/built', '1', digest);
  const whileThere = await Promise.all(
    clients.map((client) => (client.skip ? undefined : client.pull(`${UPSTREAM}/acme/built:1`, gateway.address))),
  );
  await (await notary()).removeDelegation('acme/built', 'targets/ci');
  await denies(gateway, 'acme/built', '1');
  return { gateway, digest, whileThere };
});

test('a tag is admitted only when the second required signer has signed too', { skip }, async () => {
  assert.equal((await team()).afterOne, 'SIGNERS_MISSING');
});

for (const [at, client] of clients.entries()) {
  test(`${client.name} pulls what both required signers signed, until docker trust removes one of them`, {
    skip: skip || client.skip,
  }, async () => {
    const { gateway, digest, whileBoth } = await team();
    assert.equal(has(whileBoth[at] ?? assert.fail('expected a pull')).digest, digest);
    await assertDenied(client, gateway, `${UPSTREAM}/acme/team:1`, 'SIGNERS_MISSING');
  });

  test(`${client.name} pulls what a delegation signed, until notary removes the delegation`, {
    skip: skip || client.skip,
  }, async () => {
    const { gateway, digest, whileThere } = await delegated();
    assert.equal(has(whileThere[at] ?? assert.fail('expected a pull')).digest, digest);
    await assertDenied(client, gateway, `${UPSTREAM}/acme/built:1`, 'SIGNERS_MISSING');
  });
}

function requiring(...signers: readonly string[]) {
  return stage.configuration(SIGNED_ONLY, { signers });
}

/** Within the time a refresh takes, and then for good. */
async function admits(gateway: Gateway, repository: string, tag: string, digest: string): Promise<void> {
  await until(`${repository}:${tag} to be admitted`, SEEN_LIMIT_MS, async () => {
    const { status, headers } = await gateway.manifest(`${UPSTREAM}/${repository}`, tag, 'HEAD');
    if (status !== 200) return undefined;
    assert.equal(headers['docker-content-digest'], digest);
    return true;
  });
}

async function denies(gateway: Gateway, repository: string, tag: string): Promise<void> {
  await until(`${repository}:${tag} to be denied`, SEEN_LIMIT_MS, async () => {
    const { status } = await gateway.manifest(`${UPSTREAM}/${repository}`, tag, 'HEAD');
    return status === 200 ? undefined : true;
  });
}
