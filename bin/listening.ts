import { readFile } from 'node:fs/promises';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Listener } from '../config/config.ts';

/** A client that sends its headers slower than this holds nothing but a socket, and then not even that. Milliseconds. */
const HEADERS_TIME = 10_000;

/** A client that takes no byte for this long has gone away without saying so. Milliseconds. */
const STALL_TIME = 15 * 60_000;

/** Requests have no bodies worth waiting for. Milliseconds. */
const REQUEST_TIME = 30_000;

/** Longer than any name with headers; a bomb ends here. Bytes. */
const HEADER_LIMIT = 32 * 1024;

/** The listeners, all up or none. */
export class Listening {
  readonly #servers: readonly Server[];
  /** One URL each, in the order of the configuration. */
  readonly urls: readonly string[];

  private constructor(servers: readonly Server[], urls: readonly string[]) {
    this.#servers = servers;
    this.urls = urls;
  }

  /**
   * @param handlerFor who answers on a listener: its own configuration says what it is, not what a client sends
   * @throws Error that names the address when one cannot be listened on
   */
  static async start(
    listeners: readonly Listener[],
    handlerFor: (listener: Listener) => RequestListener,
  ): Promise<Listening> {
    const servers: Server[] = [];
    const urls: string[] = [];
    try {
      for (const listener of listeners) {
        const server = await serverFor(listener, handlerFor(listener));
        const port = await listen(server, listener);
        servers.push(server);
        urls.push(urlOf(listener, port));
      }
    } catch (error) {
      for (const server of servers) server.close();
      throw error;
    }
    return new Listening(servers, urls);
  }

  /** Takes no new connection, lets answers under way finish for `drain` milliseconds, then cuts what is left. */
  async stop(drain: number): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    const sweep = setInterval(() => this.#each((server) => server.closeIdleConnections()), SWEEP);
    const cut = setTimeout(() => this.#each((server) => server.closeAllConnections()), drain);
    await Promise.all(closed);
    clearInterval(sweep);
    clearTimeout(cut);
  }

  #each(act: (server: Server) => void): void {
    for (const server of this.#servers) act(server);
  }
}

/** A kept-alive connection whose last answer ended during the drain is closed within this. Milliseconds. */
const SWEEP = 50;

async function serverFor({ tls }: Listener, handler: RequestListener): Promise<Server> {
  const limits = { headersTimeout: HEADERS_TIME, requestTimeout: REQUEST_TIME, maxHeaderSize: HEADER_LIMIT };
  const server =
    tls === undefined
      ? createPlainServer(limits, handler)
      : createTlsServer({ ...limits, ...(await keysOf(tls)) }, handler);
  server.timeout = STALL_TIME;
  return server;
}

async function keysOf({ cert, key, clientCa }: NonNullable<Listener['tls']>) {
  return {
    cert: await readFile(cert),
    key: await readFile(key),
    ...(clientCa === undefined ? {} : { ca: await readFile(clientCa), requestCert: true, rejectUnauthorized: true }),
  };
}

function listen(server: Server, { address, port }: Listener): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another process listens there' : cause.message;
      reject(
        new Error(`cannot listen on ${address}:${port}: ${why}; change \`listen\` in the configuration`, { cause }),
      );
    });
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}

function urlOf({ address, tls }: Listener, port: number): string {
  return `${tls === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
