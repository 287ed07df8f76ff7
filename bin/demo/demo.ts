import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { parseUpstreamName } from '../../oci/reference.ts';
import { Listening } from '../listening.ts';
import { makeLog } from '../log.ts';
import { openGateway } from '../open-gateway.ts';
import { demoTable, type Row } from './demo-table.ts';
import { MemoryRegistry, serveMemory } from './memory-registry.ts';
import { pullImage } from './pull-image.ts';
import { type Scene, SCENES, type Stage } from './scenes.ts';
import { NotaryPublisher } from './notary-publisher.ts';
import { TrustServer } from './trust-server.ts';

const REGISTRY = 'registry.demo';
const DAY = 24 * 3_600_000;
const MIB = 1024 * 1024;

/**
 * `docklock demo`: a registry, a trust server and the gateway in one process, on loopback, and what the gateway does with honest
 * and dishonest images. @returns the exit code: 0 when everything came as it must
 */
export async function demo(options: {
  readonly out: NodeJS.WritableStream;
  readonly colour: boolean;
}): Promise<number> {
  const { out, colour } = options;
  const closers: (() => Promise<void>)[] = [];
  try {
    const { stage, url } = await setTheStage(closers);
    out.write(`A registry, a trust server and DockLock (${url}), all in this process.\n\n`);
    const rows: Row[] = [];
    for (const scene of SCENES) rows.push(await play(scene, stage, url));
    out.write(demoTable(rows, colour));
    return rows.every((row) => row.asExpected) ? 0 : 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function play(scene: Scene, stage: Stage, url: string): Promise<Row> {
  const image = await scene.prepare(stage);
  const answer = await pullImage(url, `${REGISTRY}/${image}`);
  const { told, expected } = scene;
  return { told, image, answer, asExpected: answer.outcome === expected };
}

async function setTheStage(closers: (() => Promise<void>)[]): Promise<{ stage: Stage; url: string }> {
  let clock = Date.now();
  const now = () => new Date(clock);
  const registry = new MemoryRegistry();
  const upstream = await serveMemory(registry);
  closers.push(upstream.close);
  const trust = new TrustServer();
  const server = await trust.start();
  closers.push(() => trust.close());
  const publishers = new Map(
    SCENES.map(({ repository }) => [repository, new NotaryPublisher({ gun: `${REGISTRY}/${repository}`, now: now() })]),
  );
  const data = await mkdtemp(join(tmpdir(), 'docklock-demo-'));
  closers.push(() => rm(data, { recursive: true, force: true }));
  const pins = [...publishers.values()].map((publisher) => publisher.rootKeyId);
  const gateway = await openGateway(demoConfig({ data, url: upstream.url, server, pins }), makeLog('silent'), now);
  closers.push(gateway.close);
  const listening = await Listening.start([{ address: '127.0.0.1', port: 0 }], gateway.part.app.callback());
  closers.push(() => listening.stop(0));
  const url = listening.urls[0] ?? '';
  const stage: Stage = {
    registry,
    publisher: (repository) => publishers.get(repository) as NotaryPublisher,
    serve: (repository, files) => trust.serve(`${REGISTRY}/${repository}`, files),
    pull: (image) => pullImage(url, `${REGISTRY}/${image}`),
    now,
    wait: (milliseconds) => {
      clock += milliseconds;
    },
  };
  return { stage, url };
}

function demoConfig(parts: { data: string; url: string; server: string; pins: readonly string[] }): Config {
  const name = parseUpstreamName(REGISTRY);
  return {
    listen: [],
    data: parts.data,
    cache: { maxSize: 64 * MIB },
    upstreams: [{ name, url: parts.url, credentials: { kind: 'anonymous' }, hosts: [], tokenHosts: [] }],
    defaultUpstream: undefined,
    authorities: [
      {
        kind: 'notary',
        name: 'publisher',
        server: parts.server,
        gun: '{registry}/{repository}',
        pin: { kind: 'rootKeys', ids: parts.pins },
        requireReleases: false,
        signers: [],
        credentials: { kind: 'anonymous' },
        refresh: 10_000,
      },
    ],
    policy: [
      {
        images: [`${REGISTRY}/**`],
        require: { kind: 'all', authorities: ['publisher'] },
        mode: 'enforce',
        unsafeAllowUnsigned: false,
        noRollback: false,
        maxAge: 3 * DAY,
      },
    ],
    pullWindow: 15 * 60_000,
    log: { level: 'silent' },
    shutdown: { drain: 0 },
    warnings: [],
  };
}
