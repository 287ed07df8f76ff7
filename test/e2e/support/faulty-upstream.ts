import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DockerRegistry } from './docker-registry.ts';
import { askOnward } from './fake-hub.ts';
import type { Workspace } from './workspace.ts';

/** What happens to content that is asked for: it is not there, its last byte is another one, or the connection ends half way. */
export type Fault = 'missing' | 'tampered' | 'cut';

/** The registry as DockLock sees it, with faults that a real one does not commit when asked to. */
export class FaultyUpstream {
  readonly url: string;
  readonly #faults = new Map<string, Fault>();

  private constructor(url: string) {
    this.url = url;
  }

  static async start(workspace: Workspace, registry: DockerRegistry): Promise<FaultyUpstream> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    workspace.closing(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const upstream = new FaultyUpstream(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (asked, answer) => upstream.#serve(registry, asked, answer));
    return upstream;
  }

  /** From now on, whoever asks for the manifest or blob of this digest. */
  withhold(digest: string, fault: Fault): void {
    this.#faults.set(digest, fault);
  }

  #serve(registry: DockerRegistry, asked: IncomingMessage, answer: ServerResponse): void {
    const fault = this.#faults.get(asked.url?.split('/').at(-1) ?? '');
    if (fault === 'missing') {
      answer.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"BLOB_UNKNOWN"}]}');
      return;
    }
    askOnward(registry, asked, answer, async (from) => {
      const chunks: Buffer[] = [];
      for await (const chunk of from) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      answer.writeHead(from.statusCode ?? 502, from.headers);
      if (fault === 'cut') {
        // Half of what is left each time, down to nothing: no resumption gets to the end.
        answer.write(body.subarray(0, Math.min(1000, body.length >> 1)), () => answer.destroy());
        return;
      }
      const last = body.length - 1;
      if (fault === 'tampered' && last >= 0) body[last] = (body[last] ?? 0) ^ 1;
      answer.end(body);
    });
  }
}
