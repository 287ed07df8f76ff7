import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { CertificateAuthority } from './certificate-authority.ts';
import type { DockerRegistry } from './docker-registry.ts';
import { freePort } from './port.ts';
import type { Workspace } from './workspace.ts';

const HUB = 'registry-1.docker.io';

/**
 * Docker Hub as a client sees it: the way on that a mirror has to keep it from. It has all that the registry has, for everybody.
 * Clients reach it under its own name, over TLS, through a web proxy, so that nothing of the machine is changed.
 */
export class FakeHub {
  /** What a client needs in its environment to find this in place of the real one. */
  readonly environment: NodeJS.ProcessEnv;
  /** What was asked of it, such as `GET /v2/library/app/manifests/1`, and where else a client wanted to connect to. */
  readonly requests: string[] = [];

  private constructor(environment: NodeJS.ProcessEnv) {
    this.environment = environment;
  }

  static async start(workspace: Workspace, registry: DockerRegistry): Promise<FakeHub> {
    const authority = await CertificateAuthority.create(workspace);
    const { cert, key } = await authority.issue([HUB]);
    const port = await freePort();
    const hub = new FakeHub({ HTTPS_PROXY: `http://127.0.0.1:${port}`, SSL_CERT_FILE: authority.cert });
    const tls = createTlsServer({ cert: await readFile(cert), key: await readFile(key) }, (asked, answer) => {
      hub.requests.push(`${asked.method} ${asked.url}`);
      askOnward(registry, asked, answer, (from) => {
        answer.writeHead(from.statusCode ?? 502, from.headers);
        from.pipe(answer);
      });
    });
    const proxy = createServer((asked, answer) => {
      hub.requests.push(`${asked.method} ${asked.url}`);
      answer.writeHead(502).end();
    });
    proxy.on('connect', (asked: IncomingMessage, socket) => {
      socket.on('error', () => undefined);
      if (asked.url !== `${HUB}:443`) {
        hub.requests.push(`CONNECT ${asked.url}`);
        socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        return;
      }
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tls.emit('connection', socket);
    });
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
    workspace.closing(async () => {
      tls.closeAllConnections();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    });
    return hub;
  }

  /** Forgets what was asked so far. */
  forget(): void {
    this.requests.length = 0;
  }
}

/** Puts a client's question to the registry; `use` makes an answer of what it says. */
export function askOnward(
  registry: DockerRegistry,
  asked: IncomingMessage,
  answer: ServerResponse,
  use: (from: IncomingMessage) => unknown,
): void {
  const { method, headers, url } = asked;
  const onward = request(`${registry.url}${url}`, { method, headers: { ...headers, host: registry.address } }, use);
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}
