/**
 * The independent judge of what the publisher writes: tuf-js, through its public API, over loopback http.
 *
 *   const client = await TufClient.start(t, join(dir, 'metadata'));   // pins the oldest root in the folder
 *   await client.target('docker.io/acme/app:1');                      // refreshes first; undefined when nobody vouches
 *
 * One client keeps its state between calls, as a real one does, and so refuses whatever goes back.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import type { Closing } from '../../support/fake-registry.ts';

export class TufClient {
  readonly url: string;
  readonly #state: string;

  private constructor(url: string, state: string) {
    this.url = url;
    this.#state = state;
  }

  static async start(t: Closing, metadata: string, root?: Uint8Array): Promise<TufClient> {
    const server = createServer((request, response) => {
      const name = decodeURIComponent((request.url ?? '').replace(/^\//, ''));
      readFile(join(metadata, name)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return await TufClient.at(t, url, root ?? (await oldestRoot(metadata)));
  }

  /** A client of a repository that somebody else serves. */
  static async at(t: Closing, url: string, root: Uint8Array): Promise<TufClient> {
    const state = await mkdtemp(join(tmpdir(), 'docklock-tuf-client-'));
    t.after(() => rm(state, { recursive: true, force: true }));
    await writeFile(join(state, 'root.json'), root);
    return new TufClient(url, state);
  }

  async refresh(): Promise<void> {
    await this.#updater().refresh();
  }

  /** The signed digest and length of an image. Throws what tuf-js throws. */
  async target(path: string): Promise<{ digest: string; length: number; custom: unknown } | undefined> {
    const target = await this.#updater().getTargetInfo(path);
    if (target === undefined) return undefined;
    return { digest: `sha256:${target.hashes.sha256}`, length: target.length, custom: target.custom };
  }

  #updater(): Updater {
    return new Updater({
      metadataDir: this.#state,
      metadataBaseUrl: this.url,
      config: { fetchRetry: 0, fetchTimeout: 10_000 },
    });
  }
}

async function oldestRoot(metadata: string): Promise<Uint8Array> {
  const versions = (await readdir(metadata))
    .map((name) => Number(/^(\d+)\.root\.json$/.exec(name)?.[1]))
    .filter((version) => version > 0);
  return await readFile(join(metadata, `${Math.min(...versions)}.root.json`));
}
