import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../config/read.ts';
import { Listening } from '../listening.ts';
import { makeLog } from '../log.ts';
import { openGateway } from '../open-gateway.ts';
import { openImageSource } from '../publish/image-source.ts';
import { MemoryRegistry, serveMemory } from './memory-registry.ts';
import { Publisher } from './publisher.ts';
import { type Answer, pullImage } from './pull-image.ts';
import { TrustServer } from './trust-server.ts';

const REGISTRY = 'registry.demo';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long the publisher `late` has been away: its timestamp was good for a day. Milliseconds. */
const AWAY = 25 * HOUR;

/** What a scene can do to the world around the gateway. Images are named without their registry. */
export interface Stage {
  /** Where the gateway listens. */
  readonly url: string;
  readonly registry: MemoryRegistry;
  readonly publisher: Publisher;
  /** Serves what `publisher` signs. */
  readonly server: TrustServer;
  /** A folder for what a scene needs; gone at the end. */
  readonly folder: string;
  vouch(image: string): Promise<void>;
  withdraw(image: string): Promise<void>;
  /** Signed by a publisher who has not been seen since then, for images in `late/`. */
  vouchLongAgo(image: string): Promise<void>;
  /** A minute after what was done last: by then the gateway asks the trust server again. */
  pull(image: string): Promise<Answer>;
  /** Moves the clock of gateway and publisher forward. Milliseconds. */
  wait(milliseconds: number): void;
}

/** A registry, two publishers with their servers, and the gateway, all on loopback; what must be closed is deferred to the stack. */
export async function setTheStage(folder: string, stack: AsyncDisposableStack): Promise<Stage> {
  const start = Date.now();
  let clock = start;
  const now = () => new Date(clock);
  const wait = (milliseconds: number) => {
    clock += milliseconds;
  };
  const log = makeLog('silent');
  const registry = new MemoryRegistry();
  const upstream = await serveMemory(registry);
  stack.defer(upstream.close);
  const publisher = await Publisher.found(join(folder, 'publisher'), now);
  const late = await Publisher.found(join(folder, 'late'), () => new Date(start - AWAY));
  const server = await TrustServer.start(publisher.folder, log);
  stack.defer(() => server.close());
  const lateServer = await TrustServer.start(late.folder, log);
  stack.defer(() => lateServer.close());
  const file = join(folder, 'docklock.yaml');
  await writeFile(
    file,
    configOf(upstream.url, {
      publisher: { url: server.url, root: publisher.root },
      late: { url: lateServer.url, root: late.root },
    }),
  );
  const config = await readConfig(file);
  const source = await openImageSource(config);
  stack.defer(() => source.close());
  const gateway = await openGateway(config, log, now);
  stack.defer(gateway.close);
  const listening = await Listening.start([{ address: '127.0.0.1', port: 0 }], () => gateway.part.app.callback());
  stack.defer(() => listening.stop(0));
  const url = listening.urls[0] ?? '';
  return {
    url,
    registry,
    publisher,
    server,
    folder,
    vouch: (image) => publisher.vouch(`${REGISTRY}/${image}`, source),
    withdraw: (image) => publisher.withdraw(`${REGISTRY}/${image}`),
    vouchLongAgo: (image) => late.vouch(`${REGISTRY}/${image}`, source),
    pull: (image) => {
      wait(MINUTE);
      return pullImage(url, `${REGISTRY}/${image}`);
    },
    wait,
  };
}

interface Trusted {
  readonly url: string;
  readonly root: string;
}

function configOf(upstream: string, { publisher, late }: Readonly<Record<'publisher' | 'late', Trusted>>): string {
  const text = (value: string) => JSON.stringify(value);
  return `upstreams:
  ${REGISTRY}: { url: ${text(upstream)} }
authorities:
  publisher: { type: tuf, metadata: ${text(publisher.url)}, root: ${text(publisher.root)} }
  late: { type: tuf, metadata: ${text(late.url)}, root: ${text(late.root)} }
policy:
  - images: "${REGISTRY}/late/**"
    require: [late]
  - images: "${REGISTRY}/**"
    require: [publisher]
    freshness: { maxAge: 12h }
`;
}
