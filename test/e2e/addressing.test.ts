import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Client, has } from './support/client.ts';
import { Docker } from './support/docker.ts';
import { DockerRegistry } from './support/docker-registry.ts';
import { Dockerd } from './support/dockerd.ts';
import type { Gateway } from './support/gateway.ts';
import { once } from './support/once.ts';
import { Publisher } from './support/publisher.ts';
import { Stage, UPSTREAM } from './support/stage.ts';
import { until } from './support/until.ts';

/** A line of the log is written a moment after its request has ended; this is only where a test gives up. */
const LOGGED_LIMIT_MS = 10_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

/** Two registries with an image of the same name: which digest comes tells which upstream was understood. */
const images = once(async () => {
  const hub = await DockerRegistry.start(stage.workspace);
  const corporate = await stage.publisher('corporate');
  const official = await Publisher.open('official', { ...stage.place, registry: hub });
  return {
    hub,
    /** Of the upstream with a name and a host of its own. */
    corporate: await corporate.pushSigned('acme/app:1', { message: 'from the company' }),
    /** Of the default upstream. */
    hubs: await official.pushSigned('acme/app:1', { message: 'from the hub' }),
  };
});

const gateway = once(newGateway);

async function newGateway(): Promise<Gateway> {
  const { hub } = await images();
  return await stage.gateway({
    upstreams: {
      // Every machine knows this name; elsewhere it would be ghcr.gateway.example.
      [UPSTREAM]: { url: stage.registry.url, hosts: ['localhost'] },
      'docker.io': { url: hub.url, default: true },
    },
    authorities: { company: stage.authority(), hub: stage.authority({ gun: `${hub.address}/{repository}` }) },
    policy: [
      { images: `${UPSTREAM}/**`, require: ['company'] },
      { images: 'docker.io/**', require: ['hub'] },
    ],
  });
}

interface Way {
  readonly name: string;
  /** Which client is set up how, and what it then asks for. */
  readonly pull: (client: Client, gateway: Gateway) => ReturnType<Client['pull']>;
  readonly from: 'corporate' | 'hubs';
}

const WAYS: readonly Way[] = [
  {
    name: 'by its upstream name, from a gateway that its settings put in the place of the upstream',
    pull: (client, { address }) => client.pull(`${UPSTREAM}/acme/app:1`, address),
    from: 'corporate',
  },
  {
    name: 'with the upstream as first part of the name',
    pull: (client, { address }) => client.pullDirectly(`${address}/${UPSTREAM}/acme/app:1`),
    from: 'corporate',
  },
  {
    name: 'from a host name that belongs to one upstream',
    pull: (client, { address }) => client.pullDirectly(`${address.replace('127.0.0.1', 'localhost')}/acme/app:1`),
    from: 'corporate',
  },
  {
    name: 'from the default upstream, naming none',
    pull: (client, { address }) => client.pullDirectly(`${address}/acme/app:1`),
    from: 'hubs',
  },
];

for (const client of clients) {
  // docker has no setting that puts a gateway in an upstream's place.
  const ways = client.name === 'docker' ? WAYS.slice(1) : WAYS;
  for (const { name, pull, from } of ways) {
    test(`${client.name} pulls an image ${name}`, { skip: stage.skip || client.skip }, async () => {
      const signed = (await images())[from];
      assert.equal(has(await pull(client, await gateway())).digest, signed);
    });
  }
}

for (const [name, agent, path] of [
  ['ctr', 'containerd/', '/v2/acme/app/manifests/1'],
  ['podman', 'containers/', `/v2/${UPSTREAM}/acme/app/manifests/1`],
  ['skopeo', 'skopeo/', `/v2/${UPSTREAM}/acme/app/manifests/1`],
] as const) {
  const client = clients.find((one) => one.name === name);

  test(`what ${name} is set up with makes it ask for ${path}`, {
    skip: stage.skip || (client?.skip ?? false),
  }, async () => {
    // The first of these is a path of the default upstream: with it, only the `ns` query can have said which is meant.
    const { corporate } = await images();
    const own = await newGateway();
    const pulled = has(await (client ?? assert.fail()).pull(`${UPSTREAM}/acme/app:1`, own.address));
    assert.equal(pulled.digest, corporate);
    const wanted = [`"agent":"${agent}`, `"path":"${path}"`, `"image":"${UPSTREAM}/acme/app"`];
    await until(`a request with ${wanted.join(', ')}`, LOGGED_LIMIT_MS, async () => {
      const lines = (await own.log()).split('\n');
      return lines.some((line) => wanted.every((part) => line.includes(part))) ? true : undefined;
    });
  });
}

test('a docker machine whose registry mirror is the gateway pulls signed images of the default upstream from it', {
  skip: stage.skip || (clients.find(({ name }) => name === 'docker')?.skip ?? false),
}, async () => {
  const { hubs } = await images();
  const { address } = await gateway();
  const machine = await Dockerd.start(stage.workspace, 'mirrored', {
    config: { 'registry-mirrors': [`http://${address}`] },
  });
  const docker = new Docker(machine);
  const pulled = has(await docker.pullDirectly('acme/app:1'));
  assert.equal(pulled.digest, hubs);
  assert.equal(await docker.run(pulled), 'from the hub\n');
});
