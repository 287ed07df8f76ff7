/**
 * How long the authority `tuf` takes with a large repository, and how much memory: `npx node --expose-gc bench/tuf-refresh.ts`,
 * with the numbers of targets and roles after it (100000 2000 unless told). The source is a server on loopback.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fetchThrough } from '../bin/metadata-fetch.ts';
import { digestOf } from '../oci/digest.ts';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../oci/reference.ts';
import { RecordingLog } from '../test/support/recording-log.ts';
import { TufRepository, testKey } from '../test/support/tuf-repository.ts';
import { TufAuthority } from '../trust/tuf/authority.ts';
import { httpSource } from '../trust/tuf/http-source.ts';
import { MetadataClient } from '../upstream/metadata-client.ts';

const [targets = 100_000, roles = 2_000] = process.argv.slice(2).map(Number);
const HOUR = 3_600_000;
const MIB = 1024 * 1024;

const now = () => new Date();
const repository = new TufRepository({ now: now() });
const keys = Array.from({ length: Math.min(roles, 50) }, testKey);
const each = roles === 0 ? targets : Math.ceil(targets / roles);
for (let role = 0; role < roles; role += 1) {
  const key = keys[role % keys.length];
  repository.delegate(`team${role}`, {
    paths: [`docker.io/team${role}/*`],
    ...(key === undefined ? {} : { keys: [key] }),
  });
}
for (let at = 0; at < targets; at += 1) {
  const team = Math.floor(at / each);
  const image = { digest: digestOf(Buffer.from(String(at))), size: 1_500 };
  repository.sign(`docker.io/team${team}/app${at % 50}:${at}`, image, roles === 0 ? 'targets' : `team${team}`);
}
repository.publish();
const bytes = [...repository.files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
say(`${targets} targets in ${roles} roles: ${repository.files.size} files, ${Math.round(bytes / MIB)} MiB`);

const server = createServer((request, response) => {
  const file = repository.files.get((request.url ?? '').slice('/'.length));
  response.writeHead(file === undefined ? 404 : 200).end(file);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const home = await mkdtemp(join(tmpdir(), 'docklock-bench-'));
/** A target near the beginning: the first of the second team. */
const at = roles === 0 ? 1 : each;
const name = {
  upstream: parseUpstreamName('docker.io'),
  repository: parseRepositoryName(`team${roles === 0 ? 0 : 1}/app${at % 50}`),
};
const wanted = digestOf(Buffer.from(String(at)));

function open(): TufAuthority {
  const client = new MetadataClient({ url, credentials: { kind: 'anonymous' }, log: new RecordingLog(), now });
  return new TufAuthority({
    name: 'bench',
    source: httpSource(url, fetchThrough(client)),
    root: repository.root(),
    target: '{registry}/{repository}:{tag}',
    roles: [],
    refresh: 0,
    folder: join(home, 'trust', 'bench'),
    floors: join(home, 'floors', 'bench'),
    readOnly: false,
    log: new RecordingLog(),
    now,
    budget: HOUR,
    schedule: () => () => undefined,
  });
}

async function ask(authority: TufAuthority, text: string): Promise<void> {
  const finding = await authority.judge({ name, reference: parseReference(text), now: now(), maxAge: HOUR });
  if (finding.outcome !== 'vouched') throw new Error(JSON.stringify(finding));
}

async function measure(what: string, work: () => Promise<void>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const took = performance.now() - begun;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  global.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const [heap, buffers, all] = [heapUsed, arrayBuffers, rss].map((size) => Math.round(size / MIB));
  say(
    `${what}: ${took.toFixed(0)} ms (${Math.round((user + system) / 1000)} ms of processor), longest stall ${(delay.max / 1e6).toFixed(0)} ms; heap ${heap} MiB, buffers ${buffers} MiB, rss ${all} MiB`,
  );
}

try {
  const tag = String(at);
  await measure('before', async () => undefined);
  let authority = open();
  await measure('first refresh', () => ask(authority, tag));
  await measure('refresh, nothing new', () => ask(authority, tag));
  repository.sign(
    `docker.io/team1/app1:new`,
    { digest: digestOf(Buffer.from('new')), size: 1 },
    roles === 0 ? 'targets' : 'team1',
  );
  repository.publish();
  await measure('refresh, one target more', () => ask(authority, tag));
  await measure('a digest', () => ask(authority, wanted));
  await authority.close();
  authority = open();
  await measure('restart, from disk', () => ask(authority, tag));
  await authority.close();
} finally {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
