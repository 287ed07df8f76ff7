import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files of one repository of trust data, by the names clients ask for. */
export type TrustFiles = ReadonlyMap<string, Uint8Array>;

const ROUTE = /^\/v2\/(.+)\/_trust\/tuf\/(.+)$/;

/** The reading half of a Notary v1 server, in memory, over plain http on a free loopback port. */
export class TrustServer {
  readonly #repositories = new Map<string, TrustFiles>();
  readonly #server = createServer((request, response) => {
    const [, gun = '', file = ''] = ROUTE.exec(request.url ?? '') ?? [];
    const bytes = this.#repositories.get(gun)?.get(file);
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.byteLength }).end(bytes);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the server has of a repository from now on: newer, or older, as a thief would have it. */
  serve(gun: string, files: TrustFiles): void {
    this.#repositories.set(gun, new Map(files));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
