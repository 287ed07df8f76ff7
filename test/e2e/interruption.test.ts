import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { has, terminalOf } from './support/client.ts';
import { toolEnvironment } from './support/command.ts';
import { Daemon } from './support/daemon.ts';
import { Docker } from './support/docker.ts';
import { Dockerd } from './support/dockerd.ts';
import type { Gateway } from './support/gateway.ts';
import { once } from './support/once.ts';
import { isRefused } from './support/port.ts';
import { SIGNED_ONLY, Stage, UPSTREAM } from './support/stage.ts';
import { findTool, requireTool } from './support/tool.ts';
import { until } from './support/until.ts';
import { Valve } from './support/valve.ts';

const IMAGE = `${UPSTREAM}/acme/big`;
const BALLAST = 32 * 1024 * 1024;
/** Where the line to the registry is held: in the middle of the one large layer. */
const MIDDLE = BALLAST / 2;
/** Only where a test gives up. */
const LIMIT_MS = 20_000;

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

/** A signed image with one large layer. */
const big = once(async () => {
  const publisher = await stage.publisher('owner');
  const digest = await publisher.pushSigned('acme/big:1', { message: 'all of it', ballast: BALLAST });
  const { bytes } = await stage.registry.manifest('acme/big', '1');
  const [layer] = JSON.parse(Buffer.from(bytes).toString('utf8')).layers;
  return { digest, layer: String(layer.digest), size: Number(layer.size) };
});

/** A gateway with an empty cache, on a line to the registry that can be held. */
async function throughValve(): Promise<{ gateway: Gateway; valve: Valve }> {
  await big();
  const valve = await Valve.start(stage.workspace, stage.registry);
  const gateway = await stage.gateway({
    ...stage.configuration(SIGNED_ONLY),
    upstreams: { [UPSTREAM]: { url: valve.url } },
  });
  return { gateway, valve };
}

const puller = clients.find(({ name }) => name === 'skopeo');

/** Killed while a client has half of the layer, and started again. */
const killed = once(async () => {
  const { gateway, valve } = await throughValve();
  valve.holdAfter(MIDDLE);
  const pull = (puller ?? assert.fail('expected the test to be skipped')).pull(`${IMAGE}:1`, gateway.address);
  await isHeld(valve);
  await gateway.process.kill();
  const terminal = terminalOf(await pull);
  await valve.cut();
  await gateway.restart();
  const { layer } = await big();
  const whileCut = await gateway.ask('GET', `/v2/${IMAGE}/blobs/${layer}`);
  await valve.open();
  return { gateway, terminal, whileCut };
});

const skipKilled = stage.skip || (puller?.skip ?? 'needs skopeo');

test('a pull under way fails when the gateway is killed, and half a layer is never served after it', {
  skip: skipKilled,
}, async () => {
  const { terminal, whileCut } = await killed();
  assert.notEqual(terminal, '');
  // The registry cannot be reached: whatever were served now could only be the half that was there.
  assert.equal(whileCut.status, 502, whileCut.body.subarray(0, 500).toString('utf8'));
});

test('the gateway that was killed serves every byte of the layer when started again', {
  skip: skipKilled,
}, async () => {
  const { gateway } = await killed();
  const { layer, size } = await big();
  const { status, body } = await gateway.ask('GET', `/v2/${IMAGE}/blobs/${layer}`);
  assert.deepEqual([status, body.byteLength, sha256(body)], [200, size, layer]);
});

for (const client of clients) {
  test(`${client.name} pulls all of the image from the gateway that was killed in the middle of it`, {
    skip: skipKilled || client.skip,
  }, async () => {
    const { gateway } = await killed();
    const pulled = has(await client.pull(`${IMAGE}:1`, gateway.address));
    assert.equal(pulled.digest, (await big()).digest);
    if (client.run !== undefined) assert.equal(await client.run(pulled), 'all of it\n');
  });
}

test('a docker pull under way when the gateway is killed goes on where it was when the gateway is started again', {
  skip: stage.skip,
}, async () => {
  // A machine of its own: one that has the layer already would not ask for it.
  const docker = new Docker(await Dockerd.start(stage.workspace, 'patient'));
  const { gateway, valve } = await throughValve();
  valve.holdAfter(MIDDLE);
  const pull = docker.pull(`${IMAGE}:1`, gateway.address);
  await isHeld(valve);
  await gateway.process.kill();
  await valve.cut();
  await valve.open();
  await gateway.restart();
  assert.equal(has(await pull).digest, (await big()).digest);
  await until('the layer to have been asked for from the middle', LIMIT_MS, async () =>
    (await gateway.log()).includes('"status":206') ? true : undefined,
  );
});

const skipCurl = stage.skip || (findTool('curl').missing ?? false);

test('a gateway told to stop lets a download from the registry finish, and takes no new connection', {
  skip: skipCurl,
}, async () => {
  const { gateway, valve } = await throughValve();
  await gateway.manifest(IMAGE, '1');
  valve.holdAfter(MIDDLE);
  const download = await startDownload(gateway);
  await isHeld(valve);
  await drains(gateway, download, () => valve.open());
});

test('a gateway told to stop lets a slow download from its cache finish, and takes no new connection', {
  skip: skipCurl,
}, async () => {
  const { gateway } = await throughValve();
  await gateway.pull(IMAGE, '1');
  const download = await startDownload(gateway, '--limit-rate', '8M');
  // Held in the middle, however fast or slow this machine is.
  download.curl.signal('SIGSTOP');
  await drains(gateway, download, async () => download.curl.signal('SIGCONT'));
});

async function isHeld(valve: Valve): Promise<void> {
  await until('half of the layer to have come', LIMIT_MS, async () => valve.holding || undefined);
}

interface Download {
  readonly curl: Daemon;
  readonly file: string;
}

/** curl, with the first bytes of the layer on its disk. */
async function startDownload(gateway: Gateway, ...options: readonly string[]): Promise<Download> {
  const folder = await stage.workspace.folder('curl');
  const file = join(folder, 'layer');
  const url = `http://${gateway.address}/v2/${IMAGE}/blobs/${(await big()).layer}`;
  const curl = await Daemon.start({
    name: 'curl',
    file: requireTool('curl'),
    args: ['--silent', '--show-error', '--fail', '--output', file, ...options, url],
    env: toolEnvironment(folder),
    log: join(folder, 'log'),
    ready: async () => (await stat(file)).size > 0,
  });
  return { curl, file };
}

/** SIGTERM while the download is held: refused are the new, whole comes the old, and then the process is gone. */
async function drains(gateway: Gateway, { curl, file }: Download, letGo: () => Promise<unknown>): Promise<void> {
  const { layer, size } = await big();
  gateway.process.signal('SIGTERM');
  await until('new connections to be refused', LIMIT_MS, async () =>
    (await isRefused(gateway.address)) ? true : undefined,
  );
  assert.ok(gateway.process.running, 'expected the gateway to wait for the download');
  assert.ok(curl.running && (await stat(file)).size < size, 'expected the download to be under way still');
  await letGo();
  assert.equal(await curl.ended(), 0, await curl.log());
  assert.equal(sha256(await readFile(file)), layer);
  assert.equal(await gateway.process.ended(), 0);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
