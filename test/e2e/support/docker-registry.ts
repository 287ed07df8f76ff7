import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { ServerCertificate } from './certificate-authority.ts';
import { toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { onFreePort } from './port.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

export interface RegistryOptions {
  /** Serve https with it; plain http without. */
  readonly tls?: ServerCertificate;
  /** Path of an htpasswd file (bcrypt): ask everyone for these credentials. */
  readonly htpasswd?: string;
}

/** Debian's docker-registry (distribution 2.8) with a storage of its own: the upstream. */
export class DockerRegistry {
  /** `127.0.0.1:port`, also after a restart. */
  readonly address: string;
  readonly url: string;
  readonly #begin: () => Promise<Daemon>;
  #daemon: Daemon;

  private constructor(address: string, url: string, begin: () => Promise<Daemon>, daemon: Daemon) {
    this.address = address;
    this.url = url;
    this.#begin = begin;
    this.#daemon = daemon;
  }

  static async start(workspace: Workspace, options: RegistryOptions = {}): Promise<DockerRegistry> {
    const folder = await workspace.folder('registry');
    const registry = await onFreePort(async (port) => {
      const address = `127.0.0.1:${port}`;
      const config = join(folder, 'config.yml');
      await writeFile(config, JSON.stringify(configuration(folder, address, options)));
      const begin = () =>
        Daemon.start({
          name: 'docker-registry',
          file: requireTool('docker-registry'),
          args: ['serve', config],
          env: toolEnvironment(folder),
          log: join(folder, 'log'),
          ready: () => answers(port),
        });
      const url = `${options.tls === undefined ? 'http' : 'https'}://${address}`;
      return new DockerRegistry(address, url, begin, await begin());
    });
    workspace.closing(() => registry.stop());
    return registry;
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }

  /** Serves again at the same address, with the same content. */
  async restart(): Promise<void> {
    await this.stop();
    this.#daemon = await this.#begin();
  }

  /** Its access log so far: what DockLock really asked it for. */
  async log(): Promise<string> {
    return await this.#daemon.log();
  }

  /** Takes a manifest away, as a publisher who regrets or a thief would. */
  async deleteManifest(repository: string, digest: string): Promise<void> {
    const answer = await fetch(`${this.url}/v2/${repository}/manifests/${digest}`, { method: 'DELETE' });
    if (answer.status !== 202) throw new Error(`expected 202 for a deletion, got ${answer.status}`);
  }

  /** Stores manifest bytes under a tag, or their digest, without asking any signer. Answers their digest. */
  async putManifest(
    repository: string,
    reference: string,
    mediaType: string,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<string> {
    const answer = await fetch(`${this.url}/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body,
    });
    const digest = answer.headers.get('docker-content-digest');
    if (answer.status !== 201 || digest === null) throw new Error(`expected 201, got ${answer.status}`);
    return digest;
  }

  async blob(repository: string, digest: string): Promise<Buffer> {
    const answer = await fetch(`${this.url}/v2/${repository}/blobs/${digest}`);
    if (answer.status !== 200) throw new Error(`expected the blob ${digest}, got ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Stores a blob. Answers its digest. */
  async putBlob(repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = digestOf(bytes);
    const begun = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const upload = new URL(begun.headers.get('location') ?? '', this.url);
    upload.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await fetch(upload, { method: 'PUT', headers, body: bytes });
    if (answer.status !== 201) throw new Error(`expected 201 for a blob, got ${answer.status}`);
    return digest;
  }

  async manifest(repository: string, reference: string): Promise<StoredManifest> {
    const accept = STORED_TYPES.join(', ');
    const answer = await fetch(`${this.url}/v2/${repository}/manifests/${reference}`, { headers: { accept } });
    const digest = answer.headers.get('docker-content-digest');
    if (answer.status !== 200 || digest === null) {
      throw new Error(`expected ${repository}:${reference}, got ${answer.status}`);
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { digest, mediaType: answer.headers.get('content-type') ?? '', bytes };
  }
}

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const STORED_TYPES = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
];

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** JSON is YAML. */
function configuration(folder: string, address: string, options: RegistryOptions): object {
  return {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: address,
      secret: 'one process, one secret',
      ...(options.tls === undefined ? {} : { tls: { certificate: options.tls.cert, key: options.tls.key } }),
    },
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'e2e', path: options.htpasswd } } }),
  };
}

/** Any answer is one: over TLS to plain HTTP's 400, behind a password to 401. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/v2/' }, (answer) => {
      answer.resume();
      resolve(true);
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
