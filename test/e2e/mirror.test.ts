/**
 * A mirror whose clients can go on to Docker Hub, which would serve what is refused. On an ordinary listener they do; on one
 * marked `mirror: true` they stop, and say why.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { has, type Pulled, terminalOf } from './support/client.ts';
import { Ctr } from './support/ctr.ts';
import { Docker } from './support/docker.ts';
import type { Fault } from './support/faulty-upstream.ts';
import { findBuilder, Mirror } from './support/mirror.ts';
import { once } from './support/once.ts';
import { freePort } from './support/port.ts';
import { Stage } from './support/stage.ts';

const stage = await Stage.open();
after(() => stage.close());
const { skip } = stage;

const publisher = once(() => stage.publisher('owner'));
const mirror = once(async () =>
  Mirror.start(stage, {
    authorities: { dct: stage.authority(), down: stage.authority({ server: `https://127.0.0.1:${await freePort()}` }) },
    policy: [
      { images: 'docker.io/library/unreachable', require: ['down'] },
      { images: ['docker.io/library/open', 'docker.io/library/*-open'], unsafeAllowUnsigned: true },
      { images: ['docker.io/library/app', 'docker.io/library/unsigned'], require: ['dct'] },
    ],
  }),
);
const mirrored = once(async () => (await mirror()).dockerd('mirrored', (await mirror()).address));
const unmarked = once(async () => (await mirror()).dockerd('unmarked', (await mirror()).gateway.address));
const ctr = once(() => Ctr.start(stage.workspace));

interface StoredImage {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface Way {
  readonly name: string;
  pull(image: string, address: string): Promise<Pulled>;
}

const WAYS: readonly Way[] = [
  {
    name: 'dockerd with registry-mirrors',
    pull: async (image, address) => {
      const machine = address === (await mirror()).address ? await mirrored() : await unmarked();
      return await new Docker(machine).pullDirectly(image);
    },
  },
  {
    name: 'containerd with a hosts.toml that leaves the registry open',
    pull: async (image, address) => (await ctr()).pullMirrored(image, address, (await mirror()).hub.environment),
  },
];

interface Case {
  readonly cause: string;
  readonly says: string;
  readonly image: () => Promise<string>;
}

/** The digest of an image that is pushed once, unsigned. */
const pushed = (image: string) => once(async () => await (await publisher()).push(image, { message: image }));
const unsigned = pushed('library/unsigned:1');
const uncovered = pushed('library/uncovered:1');
const unreachable = pushed('library/unreachable:1');
const app = once(async () => await (await publisher()).pushSigned('library/app:1', { message: 'signed by Docker' }));

const byTag = (image: string, push: () => Promise<string>) => async () => {
  await push();
  return `docker.io/library/${image}`;
};
const byDigest = (repository: string, push: () => Promise<string>) => async () =>
  `docker.io/library/${repository}@${await push()}`;

const CASES: readonly Case[] = [
  { cause: 'an unsigned tag', says: 'NOT_SIGNED', image: byTag('unsigned:1', unsigned) },
  { cause: 'an unsigned digest', says: 'NOT_SIGNED', image: byDigest('unsigned', unsigned) },
  { cause: 'a tag that no rule covers', says: 'NO_RULE', image: byTag('uncovered:1', uncovered) },
  { cause: 'a digest that no rule covers', says: 'NO_RULE', image: byDigest('uncovered', uncovered) },
  { cause: 'a tag whose trust server is out', says: 'TRUST_UNREACHABLE', image: byTag('unreachable:1', unreachable) },
  {
    cause: 'a tag that the upstream does not have',
    says: 'docker.io/library/open:none is unknown to the upstream',
    image: async () => 'docker.io/library/open:none',
  },
];

for (const { name, pull } of WAYS) {
  for (const { cause, says, image } of CASES) {
    test(`${name}: ${cause} is not pulled, the terminal says why, and Docker Hub is not asked`, { skip }, async () => {
      const wanted = await image();
      const { address } = await mirror();
      (await mirror()).hub.forget();
      const terminal = terminalOf(await pull(wanted, address));
      assert.match(terminal, /DockLock/);
      assert.ok(terminal.includes(says), terminal);
      assert.deepEqual((await mirror()).hub.requests, []);
    });
  }

  test(`${name}: what is signed is pulled through the mirror, by tag and by digest, and not from Docker Hub`, {
    skip,
  }, async () => {
    const digest = await app();
    const { address } = await mirror();
    (await mirror()).hub.forget();
    for (const image of ['docker.io/library/app:1', `docker.io/library/app@${digest}`]) {
      assert.equal(has(await pull(image, address)).digest, digest);
    }
    assert.deepEqual((await mirror()).hub.requests, []);
  });

  test(`${name}: an ordinary listener is no gate, the refused image comes from Docker Hub`, { skip }, async () => {
    const digest = await uncovered();
    const { gateway } = await mirror();
    (await mirror()).hub.forget();
    assert.equal(has(await pull('docker.io/library/uncovered:1', gateway.address)).digest, digest);
    assert.ok((await mirror()).hub.requests.some((asked) => asked.includes('/v2/library/uncovered/manifests/')));
  });
}

/** Trouble that begins after the manifest was admitted, when a client that starts over would ask Docker Hub for the tag. */
const WITHHELD: readonly [what: string, fault: Fault, pick: (manifest: StoredImage) => string, says: string][] = [
  ['config is missing', 'missing', ({ config }) => config.digest, 'unknown to the upstream'],
  ['layer is missing', 'missing', ({ layers }) => layers[0]?.digest ?? '', 'unknown to the upstream'],
  ['layer is tampered with', 'tampered', ({ layers }) => layers[0]?.digest ?? '', 'CONTENT_MISMATCH'],
  ['layer breaks off', 'cut', ({ layers }) => layers[0]?.digest ?? '', 'the upstream registry could not serve this'],
];

WITHHELD.forEach(([what, fault, pick, says], at) => {
  const repository = (way: string) => `library/${way}${at}-open`;

  const spoilt = async (way: string) => {
    const digest = await (await publisher()).push(`${repository(way)}:1`, {
      message: `${way} ${what}`,
      ballast: 300_000,
    });
    const { bytes } = await stage.registry.manifest(repository(way), '1');
    (await mirror()).upstream.withhold(pick(JSON.parse(Buffer.from(bytes).toString('utf8'))), fault);
    (await mirror()).hub.forget();
    return digest;
  };

  test(`dockerd with registry-mirrors: an image whose ${what} is not begun anew at Docker Hub`, { skip }, async () => {
    await spoilt('docker');
    const terminal = terminalOf(await new Docker(await mirrored()).pullDirectly(`docker.io/${repository('docker')}:1`));
    assert.match(terminal, /DockLock/);
    assert.ok(terminal.includes(says), terminal);
    assert.deepEqual((await mirror()).hub.requests, []);
  });

  test(`containerd with its registry open: of an image whose ${what} Docker Hub is asked for no manifest`, {
    skip,
  }, async () => {
    const digest = await spoilt('ctr');
    const { address } = await mirror();
    const { environment, requests } = (await mirror()).hub;
    const pulled = await (await ctr()).pullMirrored(`docker.io/${repository('ctr')}:1`, address, environment);
    if (pulled.ok) assert.equal(pulled.digest, digest, 'what it finds there is what the admitted manifest pins');
    assert.deepEqual(
      requests.filter((asked) => asked.includes('/manifests/')),
      [],
    );
  });
});

test('a child of an admitted list that the upstream lacks is not begun anew at Docker Hub', { skip }, async () => {
  const owner = await publisher();
  const child = await owner.push('library/list-open:here', { message: 'for this machine' });
  await owner.pushIndex('library/list-open:1', {
    [process.arch === 'arm64' ? 'arm64' : 'amd64']: 'library/list-open:here',
  });
  (await mirror()).upstream.withhold(child, 'missing');
  (await mirror()).hub.forget();
  const terminal = terminalOf(await new Docker(await mirrored()).pullDirectly('docker.io/library/list-open:1'));
  assert.match(terminal, /DockLock: .* is unknown to the upstream/);
  assert.deepEqual((await mirror()).hub.requests, []);
});

test('what an admitted list lacks for its platform dockerd looks for at Docker Hub: no answer of ours stops it', {
  skip,
}, async () => {
  const owner = await publisher();
  await owner.push('library/other-open:there', { message: 'for another machine' });
  const elsewhere = process.arch === 'arm64' ? 'amd64' : 'arm64';
  await owner.pushIndex('library/other-open:1', { [elsewhere]: 'library/other-open:there' });
  (await mirror()).hub.forget();
  const terminal = terminalOf(await new Docker(await mirrored()).pullDirectly('docker.io/library/other-open:1'));
  assert.match(terminal, /no matching manifest/);
  assert.ok((await mirror()).hub.requests.some((asked) => asked.includes('/manifests/1')));
});

/** Docker's own BuildKit, spoken to by a command line that needs no plugin for it. */
const builder = findBuilder();

test('docker build with BuildKit stops at a refused base image, and takes an admitted one from the mirror', {
  skip: skip || (builder === undefined && 'no docker command here can build with BuildKit'),
}, async () => {
  await Promise.all([uncovered(), app()]);
  const build = async (base: string) =>
    await (await mirrored()).docker(['build', '--progress=plain', '-'], {
      ...(builder === undefined ? {} : { cli: builder }),
      input: `FROM ${base}\nLABEL built=yes\n`,
      env: { DOCKER_BUILDKIT: '1' },
    });
  (await mirror()).hub.forget();
  const refused = await build('docker.io/library/uncovered:1');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /300 DockLock refused docker\.io\/library\/uncovered:1: .*NO_RULE/);
  const admitted = await build('docker.io/library/app:1');
  assert.equal(admitted.code, 0, admitted.stderr);
  assert.deepEqual((await mirror()).hub.requests, []);
});

test('the log counts what a mirror refused as refused', { skip }, async () => {
  const { gateway } = await mirror();
  const lines = (await gateway.log())
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const refusals = lines.filter(({ msg, reason }) => msg === 'request' && reason === 'NO_RULE');
  assert.ok(refusals.length > 0);
  assert.deepEqual([...new Set(refusals.map(({ status }) => status))], [403]);
  assert.ok(refusals.some(({ sent }) => sent === 501) && refusals.some(({ sent }) => sent === 300));
});

test('with DockLock down a mirror holds nothing: both go on to Docker Hub', { skip }, async () => {
  const digest = await uncovered();
  const { address, gateway } = await mirror();
  await gateway.stop();
  for (const { pull } of WAYS) assert.equal(has(await pull('docker.io/library/uncovered:1', address)).digest, digest);
});
