import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { docklock, serving } from '../support/command-line.ts';
import { FakeRegistry, gate, image } from '../support/fake-registry.ts';
import { receive } from '../support/gateway.ts';

async function stage(t: TestContext, more = '') {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-serve-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const registry = await FakeRegistry.start(t);
  const app = image({ layers: [Buffer.alloc(300_000, 'layer')] });
  registry.push('app', app, '1');
  const config = join(folder, 'docklock.yaml');
  await writeFile(
    config,
    `listen: 127.0.0.1:0
upstreams: { corp: { url: "${registry.url}", default: true } }
policy: [{ images: "corp/**", unsafeAllowUnsigned: true }]
${more}`,
  );
  return { config, folder, registry, app };
}

test('serve says where it listens, how to pull, and that unsigned images are allowed', async (t) => {
  const { config } = await stage(t);
  const server = await serving(t, config);
  await request(server.url).get('/v2/').expect(200);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
  assert.match(server.text.out, /docker pull 127\.0\.0\.1:\d+\/corp\//);
  assert.match(server.text.out, /1 rule, 1 allow unsigned/);
  assert.equal(await server.stop(), 0);
  assert.match(server.text.err, /unsafeAllowUnsigned/);
});

test('an ordinary listener and one for mirrors are served side by side, each as the configuration says', async (t) => {
  const { config } = await stage(t);
  const text = await readFile(config, 'utf8');
  await writeFile(
    config,
    text.replace(/^listen: .*$/m, 'listen: [{ address: 127.0.0.1:0, mirror: true }, 127.0.0.1:0]'),
  );
  const server = await serving(t, config);
  const [, mirror = '', ordinary = ''] =
    /listens on (\S+) \(mirror\)\nDockLock listens on (\S+)\n/.exec(server.text.out) ?? [];
  assert.match(server.text.out, new RegExp(`docker pull ${ordinary.replace('http://', '')}/corp/`));
  for (const headers of [{}, { 'User-Agent': 'docker/20.10' }]) {
    await request(ordinary).get('/v2/app/manifests/1').set(headers).expect(200);
    await request(mirror).get('/v2/app/manifests/1').set(headers).expect(200);
    await request(ordinary).get('/v2/other.example/app/manifests/1').set(headers).expect(403);
    await request(mirror).get('/v2/other.example/app/manifests/1').set(headers).expect(501);
  }
  assert.match(server.text.err, /is a mirror: while DockLock is down/);
});

/** Refused, or reset where the system had already queued it for a listener that is then closed. */
function notTaken(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
}

test('SIGTERM lets a pull under way finish, takes no new one, and ends with 0', async (t) => {
  const { config, registry, app } = await stage(t);
  const server = await serving(t, config);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
  const held = gate();
  registry.spoil(
    { kind: 'blob' },
    { pieces: 100_000, beforePiece: (at) => (at === 1 ? held.opened : Promise.resolve()) },
  );
  const begun = new Promise<void>((resolve) => {
    server.child.stderr?.on('data', () => server.text.err.includes('draining') && resolve());
  });
  const path = `${server.url}/v2/app/blobs/${app.layers[0]}`;
  const firstByte = new Promise<{ rest: Promise<number> }>((resolve, reject) => {
    get(path, { agent: false }, (response) => {
      let bytes = 0;
      const rest = new Promise<number>((done) => response.on('close', () => done(bytes)));
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        resolve({ rest });
      });
    }).on('error', reject);
  });
  const { rest } = await firstByte;
  const stopped = server.stop();
  await begun;
  await assert.rejects(receive(`${server.url}/v2/`), notTaken);
  held.open();
  assert.equal(await rest, 300_000);
  assert.equal(await stopped, 0);
});

test('SIGTERM is told to a balancer that asks before connections are refused; a second one ends the wait', async (t) => {
  const { config } = await stage(t, 'shutdown: { notice: 10m, drain: 1h }\n');
  const server = await serving(t, config);
  await request(server.url).get('/readyz').expect(200, { status: 'ready', warnings: [] });
  const told = new Promise<void>((resolve) => {
    server.child.stderr?.on('data', () => server.text.err.includes('to be drained') && resolve());
  });
  const stopped = server.stop();
  await told;
  await request(server.url).get('/readyz').expect(503, { status: 'draining', warnings: [] });
  await request(server.url).get('/healthz').expect(200);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
  server.child.kill('SIGTERM');
  assert.equal(await stopped, 0);
  await assert.rejects(receive(`${server.url}/v2/`), notTaken);
});

test('a person who ends it from a terminal waits for no balancer', async (t) => {
  const { config } = await stage(t, 'shutdown: { notice: 10m, drain: 1h }\n');
  const server = await serving(t, config);
  await request(server.url).get('/readyz').expect(200);
  assert.equal(await server.stop('SIGINT'), 0);
});

test('where nobody asks /readyz no balancer is waited for', async (t) => {
  const { config } = await stage(t, 'shutdown: { notice: 10m, drain: 1h }\n');
  const server = await serving(t, config);
  await request(server.url).get('/healthz').expect(200);
  assert.equal(await server.stop(), 0);
});

test('the time for balancers to notice is no longer than the whole drain', async (t) => {
  const { config } = await stage(t, 'shutdown: { notice: 10m, drain: 100ms }\n');
  const server = await serving(t, config);
  await request(server.url).get('/readyz').expect(200);
  assert.equal(await server.stop(), 0);
});

test('every listener says that it lives and is ready, and a data folder that is gone makes it unready', async (t) => {
  const { config, folder } = await stage(t);
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('listen: 127.0.0.1:0', 'listen: [127.0.0.1:0, 127.0.0.1:0]'));
  const gone = await serving(t, config);
  await rename(join(folder, 'docklock-data'), join(folder, 'elsewhere'));
  const urls = [...gone.text.out.matchAll(/listens on (\S+)/g)].map((match) => match[1] ?? '');
  assert.equal(urls.length, 2);
  for (const url of urls) {
    await request(url).get('/healthz').expect(200, { status: 'alive' });
    await request(url).get('/readyz').expect(503, { status: 'storage-unwritable', warnings: [] });
  }
  await gone.stop('SIGKILL');
  const server = await serving(t, config);
  for (const [, url = ''] of server.text.out.matchAll(/listens on (\S+)/g)) {
    await request(url).get('/readyz').expect(200, { status: 'ready', warnings: [] });
  }
});

test('what is still under way when the drain time is over is cut', async (t) => {
  const { config, registry, app } = await stage(t, 'shutdown: { drain: 100ms }\n');
  const server = await serving(t, config);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
  const held = gate();
  t.after(() => held.open());
  registry.spoil(
    { kind: 'blob' },
    { pieces: 100_000, beforePiece: (at) => (at === 1 ? held.opened : Promise.resolve()) },
  );
  const arrived = registry.arrival({ kind: 'blob' });
  const cut = receive(`${server.url}/v2/app/blobs/${app.layers[0]}`).catch(() => ({ whole: false }));
  await arrived;
  assert.equal(await server.stop(), 0);
  assert.equal((await cut).whole, false);
});

test('a second process on the same data folder is told who owns it', async (t) => {
  const { config } = await stage(t);
  const server = await serving(t, config);
  const second = await docklock('serve', '--config', config);
  assert.notEqual(second.code, 0);
  assert.match(second.err, new RegExp(`${server.child.pid}`));
});

test('verify works beside a running gateway, and leaves its folder to it', async (t) => {
  const { config, app } = await stage(t);
  const server = await serving(t, config);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
  const { code, out } = await docklock('verify', 'app:1', '--config', config, '--json');
  assert.equal(code, 0, out);
  assert.equal(JSON.parse(out).digest, app.digest);
  await request(server.url).get('/v2/app/manifests/1').expect(200);
});

test('kill -9 leaves a folder that the next start takes over', async (t) => {
  const { config, app } = await stage(t);
  const first = await serving(t, config);
  await request(first.url).get('/v2/app/manifests/1').expect(200);
  await first.stop('SIGKILL');
  const second = await serving(t, config);
  await request(second.url).get(`/v2/app/manifests/${app.digest}`).expect(200);
});
