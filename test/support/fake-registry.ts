/**
 * A small registry on a real loopback socket that can be told to misbehave.
 *
 *   test('a blob of an app is fetched once', async (t) => {
 *     const registry = await FakeRegistry.start(t);                 // closed after the test
 *     const app = image({ layers: ['layer one', 'layer two'] });
 *     registry.push('library/app', app, 'v1', 'latest');            // blobs, manifest, tags
 *     registry.spoil({ kind: 'blob' }, { tamper: 'last' }, 1);      // the first blob only
 *     ... ask registry.url ...
 *     assert.equal(registry.count('blob'), 1);
 *     registry.requests                                             // what came, in order, with headers
 *   });
 *
 * `FakeRegistry.start(t, { auth, tls, cdn, address })`: `auth` as in registry-auth.ts; `tls` as tls-certificate.ts issues;
 * `cdn: true` redirects blobs to a second server, whose requests are of kind `cdn`; `address` another loopback address.
 * Faults are described in registry-fault.ts. A held answer: `const held = gate(); spoil(..., { hangUntil: held.opened })`,
 * later `held.open()`; all gates should be opened before the test ends, or their clients closed.
 */
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buildImage, buildIndex } from '../../bin/demo/memory-image.ts';
import { type MemoryAnswer, MemoryRegistry } from '../../bin/demo/memory-registry.ts';
import { type FakeAuth, RegistryAuth } from './registry-auth.ts';
import { type Fault, sendFaulty } from './registry-fault.ts';

export const image = buildImage;
export const index = buildIndex;

export type RequestKind = 'ping' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'token' | 'cdn' | 'other';

export interface FakeRequest {
  readonly kind: RequestKind;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface FakeOptions {
  readonly auth?: FakeAuth;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly cdn?: boolean;
  readonly address?: string;
}

/** What `node:test` gives a test, as far as it is needed here. */
export interface Closing {
  after(close: () => unknown): void;
}

type Which = Partial<Pick<FakeRequest, 'kind' | 'method' | 'path'>>;

interface Spoiling {
  readonly which: Which;
  readonly fault: Fault;
  times: number;
}

export class FakeRegistry extends MemoryRegistry {
  readonly requests: FakeRequest[] = [];
  /** Sockets accepted, the CDN's included. */
  connections = 0;
  url = '';
  cdnUrl = '';
  readonly #spoilings: Spoiling[] = [];
  readonly #awaited: { readonly which: Which; readonly resolve: (request: FakeRequest) => void }[] = [];
  readonly #servers: Server[] = [];
  #auth: RegistryAuth | undefined;

  static async start(t: Closing, options: FakeOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    t.after(() => registry.close());
    registry.url = await registry.#listen(options);
    if (options.cdn === true) registry.cdnUrl = await registry.#listen(options);
    if (options.auth !== undefined) registry.#auth = new RegistryAuth(options.auth, registry.url);
    return registry;
  }

  /** Spoils the answers to matching requests, `times` of them; the newest fitting fault wins. Returns how to stop it. */
  spoil(which: Which, fault: Fault, times = Number.POSITIVE_INFINITY): () => void {
    const spoiling = { which, fault, times };
    this.#spoilings.unshift(spoiling);
    return () => {
      spoiling.times = 0;
    };
  }

  count(kind: RequestKind, method?: string): number {
    return this.requests.filter(
      (request) => request.kind === kind && (method === undefined || request.method === method),
    ).length;
  }

  /** The next matching request, as soon as it has come in. */
  arrival(which: Which): Promise<FakeRequest> {
    const { promise, resolve } = Promise.withResolvers<FakeRequest>();
    this.#awaited.push({ which, resolve });
    return promise;
  }

  /** Every token given out so far is refused from now on. */
  revokeTokens(): void {
    this.#auth?.revoke();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        return closed;
      }),
    );
  }

  async #listen({ tls, address = '127.0.0.1' }: FakeOptions): Promise<string> {
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
    this.#servers.push(server);
    server.on('connection', () => {
      this.connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return `${tls === undefined ? 'http' : 'https'}://${address}:${(server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const { pathname: path, searchParams: query } = new URL(url, 'http://registry');
    const asked: FakeRequest = { kind: kindOf(path), method, path, query, headers };
    this.requests.push(asked);
    for (const { which, resolve } of this.#awaited) {
      if (fits(which, asked)) resolve(asked);
    }
    const form = new URLSearchParams(method === 'POST' ? await bodyOf(request) : '');
    const fault = this.#faultFor(asked) ?? {};
    const answer = this.#answer(asked, url, form, fault.ignoreRange === true);
    await sendFaulty(answer, fault, response, method === 'HEAD');
  }

  #answer(
    { kind, method, path, query, headers }: FakeRequest,
    url: string,
    form: URLSearchParams,
    wholeOnly: boolean,
  ): MemoryAnswer {
    const { authorization } = headers;
    const range = wholeOnly ? undefined : headers.range;
    if (kind === 'cdn') return this.answer({ method, url: path.slice('/cdn'.length), range });
    if (kind === 'token')
      return this.#auth?.token({ method, query, form, authorization }) ?? this.answer({ method, url });
    const refused = this.#auth?.challenge(
      /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(path)?.[1],
      authorization,
    );
    if (refused !== undefined) return refused;
    if (kind !== 'blob' || this.cdnUrl === '') return this.answer({ method, url, range });
    return {
      status: 307,
      headers: { location: `${this.cdnUrl}/cdn${path}?signature=secret-signature` },
      body: Buffer.alloc(0),
    };
  }

  #faultFor(request: FakeRequest): Fault | undefined {
    const found = this.#spoilings.find(({ which, times }) => times > 0 && fits(which, request));
    if (found !== undefined) found.times -= 1;
    return found?.fault;
  }
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Something to wait for until the test says go. */
export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

function fits(which: Which, request: FakeRequest): boolean {
  return (['kind', 'method', 'path'] as const).every(
    (field) => which[field] === undefined || which[field] === request[field],
  );
}

function kindOf(path: string): RequestKind {
  if (path === '/v2/' || path === '/v2') return 'ping';
  if (path.startsWith('/cdn/')) return 'cdn';
  if (path === '/token') return 'token';
  const word = /^\/v2\/.+\/(manifests|blobs|tags|referrers)\/[^/]+$/.exec(path)?.[1];
  switch (word) {
    case 'manifests':
      return 'manifest';
    case 'blobs':
      return 'blob';
    case 'tags':
    case 'referrers':
      return word;
    default:
      return 'other';
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
