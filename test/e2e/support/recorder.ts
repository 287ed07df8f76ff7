import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { Metadata, NotaryServer } from './notary-server.ts';
import { onFreePort } from './port.ts';
import type { Workspace } from './workspace.ts';

/**
 * A machine in the middle, in front of the real trust server and with a certificate that gateways take: it keeps
 * what passed, and can answer with that again. Nothing in it is made up, all of it was signed.
 */
export class Recorder {
  readonly url: string;
  #kept: ReadonlyMap<string, Metadata> = new Map();
  #passed = new Map<string, Metadata>();
  #replays = false;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(workspace: Workspace, notary: NotaryServer): Promise<Recorder> {
    const { cert, key } = await notary.authority.issue();
    const tls = { cert: await readFile(cert), key: await readFile(key) };
    return await onFreePort(async (port) => {
      const recorder = new Recorder(`https://127.0.0.1:${port}`);
      const server = createServer(tls, (asked, answer) => {
        recorder.#answer(notary, asked.url ?? '/').then(
          ({ status, body }) => answer.writeHead(status).end(body),
          () => answer.destroy(),
        );
      });
      await listening(server, port);
      workspace.closing(() => closed(server));
      return recorder;
    });
  }

  /** Keeps what has passed until now. */
  keep(): void {
    this.#kept = this.#passed;
    this.#passed = new Map();
  }

  /** From now on answers with what was kept, where there is something, instead of asking the trust server. */
  replay(): void {
    this.#replays = true;
  }

  async #answer(notary: NotaryServer, path: string): Promise<Metadata> {
    const kept = this.#replays ? this.#kept.get(path) : undefined;
    if (kept !== undefined) return kept;
    const answer = await notary.get(path);
    this.#passed.set(path, answer);
    return answer;
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
