/**
 * A Notary v1 server on a real loopback socket, which serves repositories from memory by the real URL layout:
 *
 *   test('...', async (t) => {
 *     const server = await NotaryServer.start(t);                       // closed after the test
 *     const repository = new NotaryRepository({ gun: 'corp/app', now }); // or a NotaryPublisher
 *     repository.sign('1.0', { digest, size });
 *     repository.publish(now);
 *     server.add(repository);
 *     ... an authority with { server: server.url, pin: { kind: 'rootKeys', ids: [repository.rootKeyId] } } ...
 *     server.requests                                                  // paths and headers, in order
 *     server.fault = (request, response) => response.destroy();        // until it is undefined again
 *   });
 *
 * `NotaryServer.start(t, { auth, tls })`: `auth` as in registry-auth.ts (tokens are scoped to the GUN); `tls` as
 * tls-certificate.ts issues.
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
import type { Closing } from './fake-registry.ts';
import { type FakeAuth, RegistryAuth } from './registry-auth.ts';

export interface NotaryServerOptions {
  readonly auth?: FakeAuth;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface NotaryRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the server needs of a publisher. */
export interface Published {
  readonly gun: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const FILE = /^\/v2\/([^?]+)\/_trust\/tuf\/([^?]+)$/;

export class NotaryServer {
  readonly requests: NotaryRequest[] = [];
  /** Answers in place of the server, for as long as it is set. */
  fault: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly #server: Server;
  readonly #repositories = new Map<string, Published>();
  readonly #options: NotaryServerOptions;
  #auth: RegistryAuth | undefined;

  private constructor(options: NotaryServerOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#server = options.tls === undefined ? createHttpServer(answer) : createHttpsServer(options.tls, answer);
  }

  static async start(t: Closing, options: NotaryServerOptions = {}): Promise<NotaryServer> {
    const server = new NotaryServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.#auth = options.auth && new RegistryAuth(options.auth, server.url);
    t.after(() => server.close());
    return server;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  /** Serves this repository under its GUN, as it is at each request. */
  add(repository: Published): void {
    this.#repositories.set(repository.gun, repository);
  }

  /** From now on there is no trust data for this GUN. */
  remove(gun: string): void {
    this.#repositories.delete(gun);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    this.requests.push({ path: pathname, headers: request.headers });
    const { authorization } = request.headers;
    if (pathname === '/token') {
      const form = new URLSearchParams();
      return send(
        response,
        this.#auth?.token({ method: 'GET', query: searchParams, form, authorization }) ?? NOT_FOUND,
      );
    }
    if (this.fault !== undefined) return this.fault(request, response);
    const [, gun = '', file = ''] = FILE.exec(decodeURIComponent(pathname)) ?? [];
    const denied = this.#auth?.challenge(gun, authorization);
    if (denied !== undefined) return send(response, denied);
    const bytes = this.#repositories.get(gun)?.files.get(file);
    send(response, bytes === undefined ? NOT_FOUND : { status: 200, headers: JSON_TYPE, body: Buffer.from(bytes) });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array;
}

const JSON_TYPE = { 'content-type': 'application/json' };

const NOT_FOUND: Answer = {
  status: 404,
  headers: JSON_TYPE,
  body: Buffer.from('{"errors":[{"code":"METADATA_NOT_FOUND","message":"metadata not found","detail":null}]}\n'),
};

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.byteLength }).end(body);
}
