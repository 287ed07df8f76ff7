import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { DockerRegistry } from './docker-registry.ts';
import { freePort } from './port.ts';
import type { Workspace } from './workspace.ts';

/** A line to the real registry that can be held in the middle of an answer, or cut. */
export class Valve {
  readonly url: string;
  readonly #port: number;
  readonly #registry: DockerRegistry;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #limit = Number.POSITIVE_INFINITY;
  #passed = 0;
  #holding = false;
  #opened = Promise.withResolvers<void>();

  private constructor(port: number, registry: DockerRegistry) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#registry = registry;
  }

  static async start(workspace: Workspace, registry: DockerRegistry): Promise<Valve> {
    const valve = new Valve(await freePort(), registry);
    await valve.open();
    workspace.closing(() => valve.cut());
    return valve;
  }

  /** Lets so many bytes more come down the line, and then nothing until it is opened. */
  holdAfter(bytes: number): void {
    this.#passed = 0;
    this.#limit = bytes;
    this.#holding = false;
    this.#opened = Promise.withResolvers();
  }

  /** Whether an answer waits for the valve to open. */
  get holding(): boolean {
    return this.#holding;
  }

  /** Lets everything through, to be connected to again too. */
  async open(): Promise<void> {
    this.#limit = Number.POSITIVE_INFINITY;
    this.#opened.resolve();
    if (this.#server !== undefined) return;
    this.#server = createServer((client) => this.#join(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Ends every connection, and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    this.#opened.resolve();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #join(client: Socket): void {
    const registry = connect(Number(new URL(this.#registry.url).port), '127.0.0.1');
    for (const socket of [client, registry]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    // Either side may leave whenever it likes: what that means is the gateway's business.
    pipeline(client, registry).catch(() => undefined);
    pipeline(registry, (answer: AsyncIterable<Buffer>) => this.#gate(answer), client).catch(() => undefined);
  }

  async *#gate(answer: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of answer) {
      this.#passed += chunk.byteLength;
      if (this.#passed > this.#limit) {
        this.#holding = true;
        await this.#opened.promise;
      }
      yield chunk;
    }
  }
}
