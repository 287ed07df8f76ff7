import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { has, terminalOf } from './support/client.ts';
import { ADMITTED } from './support/cosign-admitted.ts';
import { type Case, RELEASE } from './support/cosign-case.ts';
import type { KeyPair } from './support/cosign.ts';
import { KEYLESS_ADMITTED, KEYLESS_REFUSED } from './support/cosign-keyless.ts';
import { CosignPublisher } from './support/cosign-publisher.ts';
import { REFUSED } from './support/cosign-refused.ts';
import { COSIGN, IMAGE_POLICY } from './support/go-program.ts';
import { skopeoTakes } from './support/image-policy.ts';
import { once } from './support/once.ts';
import { Stage, UPSTREAM } from './support/stage.ts';
import { until } from './support/until.ts';

const stage = await Stage.open();
after(() => stage.close());
const skip = stage.skip || (COSIGN.find().missing ?? false);
const clients = await stage.clients();
const LOG_TIME_LIMIT_MS = 10_000;
const CASES: readonly Case[] = [...ADMITTED, ...KEYLESS_ADMITTED, ...REFUSED, ...KEYLESS_REFUSED];
/** Repositories for what is no case: signed, with the plain key. */
const PLAIN = ['rush'] as const;

const publisher = once(() => CosignPublisher.open(stage));

/** One gateway with an authority for each case, and a rule that sends the case's repository to it. */
const gateway = once(async () => {
  const people = await publisher();
  const plain = { type: 'cosign', key: people.keys['ecdsa-p256'].public };
  const own = CASES.map(({ id, authority }) => [id, { type: 'cosign', ...authority(people) }] as const);
  const policy = [
    ...CASES.map(({ id, notary, freshness = {} }) => rule(id, notary ? { all: ['dct', id] } : [id], freshness)),
    ...PLAIN.map((repository) => rule(repository, ['plain'])),
  ];
  const authorities = { dct: stage.authority(), plain, ...Object.fromEntries(own) };
  return await stage.gateway({ ...stage.configuration(policy), authorities });
});

function rule(repository: string, require: object, freshness: object = {}): object {
  return { images: `${UPSTREAM}/acme/${repository}`, require, freshness };
}

const made = new Map(
  CASES.map(
    ({ id, make }) =>
      [
        id,
        once(
          async () =>
            await make(await publisher(), `acme/${id}`, (reference) => pulled(`${UPSTREAM}/acme/${id}${reference}`)),
        ),
      ] as const,
  ),
);

async function pulled(image: string): Promise<void> {
  const { status, body } = await (await gateway()).ask('GET', pathOf(image));
  assert.equal(status, 200, body.toString('utf8'));
}

async function make(id: string) {
  const making = made.get(id);
  if (making === undefined) throw new Error(`expected a case ${id}`);
  return await making();
}

async function asked({ id }: Case): Promise<{ image: string; digest: string }> {
  const { reference, digest } = await make(id);
  return { image: `${UPSTREAM}/acme/${id}${reference}`, digest };
}

for (const one of [...ADMITTED, ...KEYLESS_ADMITTED]) {
  test(`${one.what} is admitted`, { skip }, async () => {
    const { image, digest } = await asked(one);
    const { status, headers, body } = await (await gateway()).ask('GET', pathOf(image));
    assert.deepEqual([status, headers['docker-content-digest']], [200, digest], body.toString('utf8'));
  });

  for (const client of one.pulled ? clients : []) {
    test(`${client.name} pulls ${one.what}`, { skip: skip || client.skip }, async () => {
      const { image, digest } = await asked(one);
      assert.equal(has(await client.pull(image, (await gateway()).address)).digest, digest);
    });
  }
}

for (const one of [...REFUSED, ...KEYLESS_REFUSED]) {
  test(`${one.what} is refused with ${one.reason}`, { skip }, async () => {
    const { image } = await asked(one);
    const denial = await (await gateway()).denial(image);
    assert.deepEqual([denial.status, denial.code, denial.reason], [403, 'DENIED', one.reason], denial.message);
    assert.ok(denial.message.includes(image), denial.message);
    assert.equal(denial.phrase, denial.message);
  });

  for (const client of one.pulled ? clients : []) {
    test(`${client.name}: ${one.what} is not pulled, and the terminal says why`, {
      skip: skip || client.skip,
    }, async () => {
      const { image } = await asked(one);
      const { address } = await gateway();
      const { message } = await (await gateway()).denial(image);
      const terminal = terminalOf(await client.pull(image, address));
      assert.ok(terminal.includes(message), `expected ${message}\non the terminal, got ${terminal}`);
    });
  }
}

/** Other verifiers, each where policy is nothing but a key, which is all that they have in common with DockLock. */
const VERIFIERS = {
  cosign: async (host: string, image: string, key: KeyPair) =>
    await (await publisher()).cosign.verify(host + image, key),
  skopeo: async (host: string, image: string, { public: publicKey }: KeyPair) => {
    // Signed under the registry's name for it, whoever it is pulled from.
    const repository = stage.registry.address + image.replace(`/${UPSTREAM}/`, '/').replace(/[:@].*$/, '');
    return await skopeoTakes(stage.workspace, host + image, { publicKey, repository });
  },
};

/** How the signatures are kept that each can find by itself; skopeo knows no bundles. */
const KEPT_AS = { cosign: ['ecdsa-p256-tags', 'ecdsa-p256-bundle'], skopeo: ['ecdsa-p256-tags'] } as const;

for (const [verifier, tool] of [
  ['cosign', COSIGN],
  ['skopeo', IMAGE_POLICY],
] as const) {
  const without = skip || (tool.find().missing ?? false);
  for (const one of CASES) {
    const key = one[verifier];
    if (key === undefined) continue;
    test(`${verifier}'s own verifier agrees on ${one.what}`, { skip: without }, async () => {
      const { image } = await asked(one);
      const { keys } = await publisher();
      const path = image.slice(UPSTREAM.length);
      const { code, stderr } = await VERIFIERS[verifier](stage.registry.address, path, keys[key]);
      const { status } = await (await gateway()).ask('GET', pathOf(image));
      assert.equal(code === 0, status === 200, stderr);
    });
  }

  test(`${verifier} can verify an admitted image through the gateway too`, {
    skip: without,
  }, async () => {
    const { keys } = await publisher();
    const { address } = await gateway();
    for (const id of KEPT_AS[verifier]) {
      await make(id);
      const { code, stderr } = await VERIFIERS[verifier](address, `/${UPSTREAM}/acme/${id}:1`, keys['ecdsa-p256']);
      assert.equal(code, 0, `${id}: ${stderr}`);
      // It looked at the signature: with another key it says no.
      const other = await VERIFIERS[verifier](address, `/${UPSTREAM}/acme/${id}:1`, keys.stranger);
      assert.notEqual(other.code, 0, id);
    }
  });
}

for (const [id, form] of [
  ['ecdsa-p256-bundle', 'bundle (fallback tag)'],
  ['ecdsa-p256-tags', 'signature tag'],
] as const) {
  test(`docklock verify prints which key signed, and where that was found: ${form}`, { skip }, async () => {
    const { digest } = await make(id);
    const { keys } = await publisher();
    const { code, stdout } = await (await gateway()).verify(`${UPSTREAM}/acme/${id}:1`);
    assert.equal(code, 0, stdout);
    const keyId = await keyIdOf(keys['ecdsa-p256'].public);
    for (const wanted of [digest, `signed by key ${keyId.slice(0, 12)}`, `keyId: ${keyId}`, `form: ${form}`]) {
      assert.ok(stdout.includes(wanted), `expected ${wanted}, got ${stdout}`);
    }
  });
}

test('docklock verify prints who signed keylessly, who vouched for that, and where it is logged', {
  skip,
}, async () => {
  const id = 'keyless-bundle';
  await make(id);
  const { code, stdout } = await (await gateway()).verify(`${UPSTREAM}/acme/${id}:1`);
  assert.equal(code, 0, stdout);
  for (const wanted of [
    `identity: ${RELEASE.subject}`,
    `issuer: ${RELEASE.issuer}`,
    'logIndex: ',
    'signedAt: ',
    'trustedRoot: ',
  ]) {
    assert.ok(stdout.includes(wanted), `expected ${wanted}, got ${stdout}`);
  }
});

test('fifty pulls at once, and one of each client, cost the registry one look for signatures', { skip }, async () => {
  const repository = 'acme/rush';
  const signer = await publisher();
  const digest = await signer.push(repository);
  await signer.sign(repository, digest, 'ecdsa-p256', { form: 'bundle' });
  const docklock = await gateway();
  const before = await requests('before');
  const image = `${UPSTREAM}/${repository}:1`;
  const able = clients.filter((client) => client.skip === false);
  const digests = await Promise.all([
    ...Array.from(
      { length: 50 },
      async () => (await docklock.ask('GET', pathOf(image))).headers['docker-content-digest'],
    ),
    ...able.map(async (client) => has(await client.pull(image, docklock.address)).digest),
  ]);
  assert.deepEqual(new Set(digests), new Set([digest]));
  const paths = (await requests('after')).slice(before.length).filter((path) => path.includes(`/${repository}/`));
  const tag = digest.replace(':', '-');
  const [referrer] = (await signer.manifest(repository, tag)).manifests;
  const [bundle] = (await signer.manifest(repository, referrer.digest)).layers;
  const wanted = [
    `referrers/${digest}`,
    `manifests/${tag}`,
    `manifests/${referrer.digest}`,
    `blobs/${bundle.digest}`,
  ].map((path) => `/v2/${repository}/${path}`);
  const kept = paths.filter((path) => wanted.includes(path) || path.endsWith('.sig') || path.endsWith('.att'));
  assert.deepEqual(kept.sort(), wanted.sort(), paths.join('\n'));
  assert.equal(new Set(paths).size, paths.length, `expected nothing to be asked for twice, got ${paths.join('\n')}`);
});

/** Paths that the registry was asked for up to now, with GET, in order: a request of our own must be among them. */
async function requests(mark: string): Promise<readonly string[]> {
  const path = `/v2/acme/mark/manifests/${mark}`;
  await fetch(`${stage.registry.url}${path}`);
  return await until('the access log to be written', LOG_TIME_LIMIT_MS, async () => {
    const paths = (await stage.registry.log()).split('\n').flatMap((line) => /"GET (\S+) HTTP/.exec(line)?.[1] ?? []);
    return paths.includes(path) ? paths : undefined;
  });
}

async function keyIdOf(path: string): Promise<string> {
  const der = createPublicKey(await readFile(path)).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}

function pathOf(image: string): string {
  const [, name, reference] = /^(.*?)[:@]((?:sha256:)?[^:@]+)$/.exec(image) ?? [];
  return `/v2/${name}/manifests/${reference}`;
}
