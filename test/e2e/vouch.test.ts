/** `docklock tuf`, `docklock vouch` and the authority `tuf`, from founding to withdrawal, with the real registry and clients. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { has } from './support/client.ts';
import { assertDenied } from './support/denied.ts';
import type { Gateway } from './support/gateway.ts';
import { once } from './support/once.ts';
import { Stage, UPSTREAM } from './support/stage.ts';
import { until } from './support/until.ts';
import { makeKey, Vouching } from './support/vouching.ts';

const IMAGE = `${UPSTREAM}/acme/app`;
const MOVING = `${UPSTREAM}/acme/moving`;
const TEAM = `${UPSTREAM}/team/app`;

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

/** A running gateway says how it is every fifteen seconds. */
const SAID_LIMIT_MS = 40_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();
const { skip } = stage;

const owner = once(() => stage.publisher('owner'));
const upstreams = () => ({ [UPSTREAM]: { url: stage.registry.url } });
const pushed = once(async () => {
  const publisher = await owner();
  return {
    vouched: await publisher.push('acme/app:1', { message: 'vouched for' }),
    unvouched: await publisher.push('acme/app:unvouched', { message: 'not vouched for' }),
    regretted: await publisher.push('acme/app:regretted', { message: 'regretted' }),
    before: await publisher.push('acme/moving:1', { message: 'as it was' }),
    team: await publisher.push('team/app:1', { message: 'from the team' }),
  };
});

/** Founded, vouched, served as the documents say: with all defaults but the listener's port and `refresh`. */
const vouching = once(async () => {
  await pushed();
  const founded = await Vouching.found(stage.workspace, upstreams());
  await founded.vouch(`${IMAGE}:1`, `${IMAGE}:regretted`, `${MOVING}:1`);
  return founded;
});
const server = once(async () => await (await vouching()).serve());
const gateway = once(async () => await openGateway((await server()).url));

async function openGateway(url: string): Promise<Gateway> {
  const { root } = await vouching();
  return await stage.gateway({
    upstreams: upstreams(),
    authorities: { org: { type: 'tuf', metadata: url, root, refresh: '1s' } },
    policy: [{ images: `${UPSTREAM}/**`, require: ['org'], freshness: { maxAge: '24h' } }],
    pullWindow: '1s',
    // Nobody sends it traffic that would have to go elsewhere first.
    shutdown: { notice: '0s' },
  });
}

/** The publisher pushes on; the signed tag lags, until the publisher vouches again. */
const moved = once(async () => {
  const gate = await gateway();
  const pull = () =>
    Promise.all(clients.map((client) => (client.skip ? undefined : client.pull(`${MOVING}:1`, gate.address))));
  const publisher = await vouching();
  const same = await publisher.tryVouch('--diff');
  const later = await (await owner()).push('acme/moving:1', { message: 'as it is' });
  const lags = await publisher.tryVouch('--diff');
  const whileLagging = await pull();
  const laterDenial = await gate.denial(`${MOVING}@${later}`);
  await publisher.vouch(`${MOVING}:1`);
  await admits(gate, MOVING, '1', later);
  return { later, same, lags, whileLagging, laterDenial, again: await publisher.tryVouch('--diff') };
});

/** Pulled by all, so in every cache on the way; then withdrawn. */
const withdrawn = once(async () => {
  const gate = await gateway();
  const blobs = await gate.pull(IMAGE, 'regretted');
  const pulls = await Promise.all(
    clients.map((client) => (client.skip ? undefined : client.pull(`${IMAGE}:regretted`, gate.address))),
  );
  // A client that has a digest does not ask for it again.
  await Promise.all(clients.map((client, at) => (pulls[at] === undefined ? undefined : client.forget(has(pulls[at])))));
  await (await vouching()).vouch('--withdraw', `${IMAGE}:regretted`);
  for (const reference of ['regretted', (await pushed()).regretted]) await denies(gate, IMAGE, reference);
  return { gate, blobs };
});

for (const client of clients) {
  const options = { skip: skip || client.skip };

  test(`${client.name} pulls what was vouched for, by tag and by digest, and runs it`, options, async () => {
    const { vouched } = await pushed();
    const { address } = await gateway();
    for (const name of [`${IMAGE}:1`, `${IMAGE}@${vouched}`]) {
      const pulled = has(await client.pull(name, address));
      assert.equal(pulled.digest, vouched);
      if (client.run !== undefined) assert.equal(await client.run(pulled), 'vouched for\n');
    }
  });

  test(
    `${client.name} is refused a tag that nobody vouched for, and its digest, and the terminal says why`,
    options,
    async () => {
      const { unvouched } = await pushed();
      await assertDenied(client, await gateway(), `${IMAGE}:unvouched`, 'TAG_NOT_SIGNED');
      await assertDenied(client, await gateway(), `${IMAGE}@${unvouched}`, 'DIGEST_NOT_SIGNED');
    },
  );

  test(
    `${client.name} gets what was vouched for while the signed tag lags, and the new image once that is`,
    options,
    async () => {
      const { whileLagging, later } = await moved();
      const pulled = has(whileLagging[clients.indexOf(client)] ?? assert.fail('expected a pull'));
      assert.equal(pulled.digest, (await pushed()).before);
      const now = has(await client.pull(`${MOVING}:1`, (await gateway()).address));
      assert.equal(now.digest, later);
      if (client.run !== undefined) assert.equal(await client.run(now), 'as it is\n');
    },
  );

  test(`${client.name} is refused what was withdrawn, though all of it is in the cache`, options, async () => {
    const { gate } = await withdrawn();
    await assertDenied(client, gate, `${IMAGE}:regretted`, 'TAG_NOT_SIGNED');
    await assertDenied(client, gate, `${IMAGE}@${(await pushed()).regretted}`, 'DIGEST_NOT_SIGNED');
  });
}

test('vouch --diff: 0 while the upstream has what was vouched for, 1 and "signed tag lags" when it moved on', {
  skip,
}, async () => {
  const { same, lags, again, later, laterDenial } = await moved();
  assert.deepEqual([same.code, again.code], [0, 0], same.stderr + again.stderr);
  assert.equal(lags.code, 1, lags.stderr);
  const { before } = await pushed();
  assert.ok(
    lags.stdout.includes(`${MOVING}:1: signed tag lags\n  vouched  ${before}\n  upstream ${later}\n`),
    lags.stdout,
  );
  assert.ok(lags.stdout.includes(`${IMAGE}:1: as upstream\n`), lags.stdout);
  assert.equal(laterDenial.reason, 'DIGEST_NOT_SIGNED', 'before it was vouched for');
});

test('the blobs of what was withdrawn are refused too, once a pull that began could be done', { skip }, async () => {
  const { gate, blobs } = await withdrawn();
  assert.ok(blobs.length > 0);
  for (const digest of blobs) {
    await until(`${digest} to be refused`, SEEN_LIMIT_MS, async () => {
      const { status } = await gate.ask('GET', `/v2/${IMAGE}/blobs/${digest}`);
      return status === 403 ? true : undefined;
    });
  }
});

test('a collaborator vouches within the pattern of the delegation, until it is taken back', { skip }, async () => {
  const [gate, publisher, { team }] = [await gateway(), await vouching(), await pushed()];
  const alice = await makeKey(stage.workspace, 'alice');
  assert.equal((await gate.denial(`${TEAM}:1`)).reason, 'TAG_NOT_SIGNED');
  await publisher.tuf('delegate', `${UPSTREAM}/team/*`, alice.pub, '--name', 'team');
  await publisher.vouch(`${TEAM}:1`, '--role', 'team', '--key', alice.key);
  await admits(gate, TEAM, '1', team);
  for (const client of clients) {
    if (!client.skip) assert.equal(has(await client.pull(`${TEAM}:1`, gate.address)).digest, team);
  }
  const outside = await publisher.tryVouch(`${IMAGE}:unvouched`, '--role', 'team', '--key', alice.key);
  assert.match(outside.stderr, /team/);
  assert.ok((outside.code ?? 0) >= 64, outside.stderr);

  // Alice signs it all the same: with her own key, where nobody stops her, and it gets onto the server.
  const hers = await publisher.copy();
  await hers.tuf('undelegate', 'team');
  await hers.tuf('delegate', `${UPSTREAM}/*/*`, alice.pub, '--name', 'team');
  await stage.registry.putManifest('team/app', '2', ...(await manifestOf('team/app', '1')));
  await hers.vouch(`${TEAM}:2`, `${IMAGE}:unvouched`, '--role', 'team', '--key', alice.key);
  await publisher.take(hers, '2.team.json');
  await publisher.tuf('refresh');
  await admits(gate, TEAM, '2', team);
  assert.equal((await gate.denial(`${IMAGE}:unvouched`)).reason, 'TAG_NOT_SIGNED', 'though it is in the same file');

  await publisher.tuf('undelegate', 'team');
  for (const reference of ['1', team]) await denies(gate, TEAM, reference);
  assert.equal((await gate.denial(`${TEAM}:1`)).reason, 'TAG_NOT_SIGNED');
  assert.equal((await gate.denial(`${TEAM}@${team}`)).reason, 'DIGEST_NOT_SIGNED');
});

test('a gateway that runs follows the replacement of every key, and so does one that knows the first root only', {
  skip,
}, async () => {
  const [gate, publisher, { vouched }] = [await gateway(), await vouching(), await pushed()];
  await gate.pull(IMAGE, '1');
  const { pid } = gate.process;
  for (const role of ['timestamp', 'snapshot', 'targets', 'root']) await publisher.tuf('rotate', role, '--yes');
  await stage.registry.putManifest('acme/app', 'after', ...(await manifestOf('acme/app', '1')));
  // Signed by new keys only: admitted when the gateway has really taken them up.
  await publisher.vouch(`${IMAGE}:after`);
  await admits(gate, IMAGE, 'after', vouched);
  await admits(gate, IMAGE, '1', vouched);
  assert.equal(gate.process.pid, pid, 'without a restart');
  const fresh = await openGateway((await server()).url);
  await admits(fresh, IMAGE, 'after', vouched);
  await fresh.stop();
});

test('docklock status and /readyz: well, while all is well; and pulls go on while the server is out', {
  skip,
}, async () => {
  const gate = await gateway();
  await gate.pull(IMAGE, '1');
  const well = await until('the gateway to say how it is', SAID_LIMIT_MS, async () => {
    const status = await gate.status();
    return /as the running gateway had it.*timestamp \d/s.test(status.stdout) ? status : undefined;
  });
  assert.equal(well.code, 0, well.stdout);
  assert.match(well.stdout, /All is well/);
  const ready = await gate.ask('GET', '/readyz');
  assert.deepEqual([ready.status, JSON.parse(ready.body.toString('utf8')).warnings], [200, []]);

  const another = await (await vouching()).serve();
  const beside = await openGateway(another.url);
  await beside.pull(IMAGE, '1');
  assert.equal(await another.daemon.stop(), 0);
  await beside.pull(IMAGE, '1');
  assert.equal((await beside.ask('GET', '/readyz')).status, 200);
  assert.equal((await beside.denial(`${IMAGE}:unvouched`)).reason, 'TAG_NOT_SIGNED');
});

type Manifest = [mediaType: string, body: Uint8Array<ArrayBuffer>];

async function manifestOf(repository: string, tag: string): Promise<Manifest> {
  const { mediaType, bytes } = await stage.registry.manifest(repository, tag);
  return [mediaType, bytes];
}

/** Within the time a refresh takes, and then for good. */
async function admits(gate: Gateway, name: string, tag: string, digest: string): Promise<void> {
  await until(`${name}:${tag} to be ${digest}`, SEEN_LIMIT_MS, async () => {
    const { status, headers } = await gate.manifest(name, tag, 'HEAD');
    return status === 200 && headers['docker-content-digest'] === digest ? true : undefined;
  });
}

async function denies(gate: Gateway, name: string, reference: string): Promise<void> {
  await until(`${reference} of ${name} to be denied`, SEEN_LIMIT_MS, async () =>
    (await gate.manifest(name, reference, 'HEAD')).status === 403 ? true : undefined,
  );
}
