/**
 * A whole gateway on a real loopback socket, in front of a fake upstream, with rules and signatures that the test gives.
 *
 *   test('an unsigned image is refused', async (t) => {
 *     const registry = await FakeRegistry.start(t);
 *     const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
 *     const app = image();
 *     registry.push('app', app, '1');
 *     gateway.signed.sign('corp/app', '1', app.digest);          // leave it out, and the pull is refused
 *     await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
 *
 * By default everything of every upstream needs the signature of `gateway.signed`. The clock stands still until
 * `gateway.advance(ms)`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listening } from '../../bin/listening.ts';
import { Admissions } from '../../cache/admissions.ts';
import { BlobStore } from '../../cache/blob-store.ts';
import type { Disk } from '../../cache/disk.ts';
import type { Listener } from '../../config/config.ts';
import { parseUpstreamName, type UpstreamName } from '../../oci/reference.ts';
import { composeGateway } from '../../proxy/gateway.ts';
import { Upstreams } from '../../proxy/upstreams.ts';
import type { Authority } from '../../trust/authority.ts';
import { Judge } from '../../trust/judge.ts';
import { compilePattern, type Rule } from '../../trust/rule.ts';
import type { Limits } from '../../upstream/limits.ts';
import { type Pace, REAL_PACE } from '../../upstream/pace.ts';
import { RegistryClient } from '../../upstream/registry-client.ts';
import type { Closing } from './fake-registry.ts';
import { RecordingLog } from './recording-log.ts';
import { SignedTargets } from './signed-targets.ts';

const GIB = 1024 ** 3;
const DAY = 24 * 3_600_000;

export interface TestRule extends Partial<Omit<Rule, 'patterns' | 'id'>> {
  readonly images: string;
}

export interface TestGatewayOptions {
  /** By upstream name; the first is the default upstream. */
  readonly upstreams: Readonly<Record<string, { readonly url: string }>>;
  readonly rules?: readonly TestRule[];
  readonly hosts?: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly maxSize?: number;
  /** Milliseconds. */
  readonly pullWindow?: number;
  /** A data folder of an earlier gateway, to find again what it left. */
  readonly folder?: string;
  readonly signed?: SignedTargets;
  /** Besides `signed`, whose name is `signer`. */
  readonly authorities?: readonly Authority[];
  /** Of the upstream clients. */
  readonly limits?: Partial<Limits>;
  /** Of the upstream clients; waits for nothing unless given. */
  readonly pace?: Pace;
  /** Under the blobs. */
  readonly disk?: Disk;
}

const NO_WAITING: Pace = { ...REAL_PACE, wait: async () => undefined };

export const SIGNED: Pick<Rule, 'require'> = { require: { kind: 'all', authorities: ['signer'] } };

export class TestGateway {
  readonly log = new RecordingLog();
  readonly signed: SignedTargets;
  readonly folder: string;
  url = '';
  /** Of a listener marked `mirror: true`. */
  mirrorUrl = '';
  #store: BlobStore | undefined;
  #admissions: Admissions | undefined;
  #arrived = 0;
  readonly #awaited: { readonly count: number; readonly resolve: () => void }[] = [];
  #now = Date.parse('2026-11-24T12:00:00Z');
  readonly #closers: (() => Promise<void> | void)[] = [];

  private constructor(folder: string, signed: SignedTargets) {
    this.folder = folder;
    this.signed = signed;
  }

  static async start(t: Closing, options: TestGatewayOptions): Promise<TestGateway> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'docklock-gateway-')));
    const gateway = new TestGateway(folder, options.signed ?? new SignedTargets());
    t.after(async () => {
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    });
    await gateway.#open(options);
    return gateway;
  }

  get store(): BlobStore {
    if (this.#store === undefined) throw new Error('the gateway is not open');
    return this.#store;
  }

  get admissions(): Admissions {
    if (this.#admissions === undefined) throw new Error('the gateway is not open');
    return this.#admissions;
  }

  /** Once the gateway has taken up so many requests more. What needs no network of them is done by then. */
  arrivals(more: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited.push({ count: this.#arrived + more, resolve });
    return promise;
  }

  now(): Date {
    return new Date(this.#now);
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Ends it, leaving its folder. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async #open(options: TestGatewayOptions): Promise<void> {
    const { log, folder } = this;
    const now = () => this.now();
    const names = Object.keys(options.upstreams).map(parseUpstreamName);
    const disk = options.disk === undefined ? {} : { disk: options.disk };
    const store = await BlobStore.open({ folder, maxSize: options.maxSize ?? GIB, log, now, ...disk });
    this.#closers.push(() => store.close());
    const admissions = await Admissions.open(folder, log);
    this.#closers.push(() => admissions.close());
    this.#store = store;
    this.#admissions = admissions;
    const hosts = Object.entries(options.hosts ?? {}).map(([host, name]) => [host, parseUpstreamName(name)] as const);
    const gateway = composeGateway({
      judge: new Judge(
        rulesOf(options.rules ?? [{ images: '**', ...SIGNED }]),
        [this.signed, ...(options.authorities ?? [])],
        log,
      ),
      upstreams: new Upstreams(this.#clients(options)),
      addresses: { upstreams: names, defaultUpstream: names[0], hosts: new Map(hosts) },
      admissions,
      store,
      pullWindow: options.pullWindow ?? 900_000,
      log,
      now,
    });
    const handlerFor = ({ mirror }: Listener): RequestListener => {
      const answer = (mirror ? gateway.mirrorApp : gateway.app).callback();
      return (asked, response) => {
        answer(asked, response);
        this.#arrive();
      };
    };
    const anyPort = { address: '127.0.0.1', port: 0 };
    const listening = await Listening.start([anyPort, { ...anyPort, mirror: true }], handlerFor);
    this.#closers.push(() => listening.stop(0));
    [this.url = '', this.mirrorUrl = ''] = listening.urls;
  }

  #arrive(): void {
    this.#arrived += 1;
    for (const { count, resolve } of this.#awaited) {
      if (this.#arrived >= count) resolve();
    }
  }

  #clients({ upstreams, limits, pace = NO_WAITING }: TestGatewayOptions): Map<UpstreamName, RegistryClient> {
    const { log } = this;
    const now = () => this.now();
    const clients = Object.entries(upstreams).map(([text, { url }]) => {
      const name = parseUpstreamName(text);
      const client = new RegistryClient({
        name,
        url,
        credentials: { kind: 'anonymous' },
        log,
        now,
        limits,
        pace,
      });
      this.#closers.push(() => client.close());
      return [name, client] as const;
    });
    return new Map(clients);
  }
}

function rulesOf(rules: readonly TestRule[]): Rule[] {
  return rules.map(({ images, ...rule }, at) => ({
    id: `policy[${at}]`,
    patterns: [compilePattern(images)],
    mode: 'enforce',
    unsafeAllowUnsigned: false,
    maxAge: DAY,
    ...rule,
  }));
}

/** What a client really received: a body that was cut off included. */
export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly phrase: string;
  readonly body: Buffer;
  /** Whether the body came to the end that its headers promised. */
  readonly whole: boolean;
}

/** A GET by hand, for answers that are cut off. */
export function receive(url: string, headers: Record<string, string> = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = httpGet(url, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      const settle = () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          phrase: response.statusMessage ?? '',
          body: Buffer.concat(chunks),
          whole: response.complete,
        });
      response.on('error', settle);
      response.on('end', settle);
    });
    sent.on('error', reject);
  });
}
