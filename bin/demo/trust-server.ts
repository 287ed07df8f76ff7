import type { RequestListener } from 'node:http';
import type { Log } from '../../oci/log.ts';
import { metadataHandler } from '../../publish/metadata-server.ts';
import type { RepositoryFolder } from '../../publish/repository-folder.ts';
import { Listening } from '../listening.ts';

/** Serves a TUF repository as `docklock tuf serve` does, on a free loopback port, or another in its place, as a thief of the server would. */
export class TrustServer {
  readonly #log: Log;
  #listening: Listening | undefined;
  #handler: RequestListener;

  private constructor(folder: RepositoryFolder, log: Log) {
    this.#log = log;
    this.#handler = metadataHandler(folder, log, () => true);
  }

  static async start(folder: RepositoryFolder, log: Log): Promise<TrustServer> {
    const server = new TrustServer(folder, log);
    server.#listening = await Listening.start([{ address: '127.0.0.1', port: 0 }], () => (request, response) => {
      server.#handler(request, response);
    });
    return server;
  }

  get url(): string {
    return this.#listening?.urls[0] ?? '';
  }

  /** What clients get from now on. */
  show(folder: RepositoryFolder): void {
    this.#handler = metadataHandler(folder, this.#log, () => true);
  }

  async close(): Promise<void> {
    await this.#listening?.stop(0);
  }
}
