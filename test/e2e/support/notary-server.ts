import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { CertificateAuthority } from './certificate-authority.ts';
import { toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { onFreePort } from './port.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** Debian's notary-server with its storage in memory and its own timestamp and snapshot keys (ed25519) in the process. */
export class NotaryServer {
  /** `127.0.0.1:port`, also after a restart. */
  readonly address: string;
  readonly url: string;
  readonly authority: CertificateAuthority;
  readonly #begin: () => Promise<Daemon>;
  #daemon: Daemon;

  private constructor(address: string, authority: CertificateAuthority, begin: () => Promise<Daemon>, daemon: Daemon) {
    this.address = address;
    this.url = `https://${address}`;
    this.authority = authority;
    this.#begin = begin;
    this.#daemon = daemon;
  }

  static async start(workspace: Workspace, authority: CertificateAuthority): Promise<NotaryServer> {
    const folder = await workspace.folder('notary');
    const { cert, key } = await authority.issue();
    const ca = await readFile(authority.cert);
    const notary = await onFreePort(async (port) => {
      const address = `127.0.0.1:${port}`;
      const config = join(folder, 'config.json');
      await writeFile(
        config,
        JSON.stringify({
          server: { http_addr: address, tls_cert_file: cert, tls_key_file: key },
          trust_service: { type: 'local', hostname: '', port: '', key_algorithm: 'ecdsa' },
          storage: { backend: 'memory' },
          logging: { level: 'info' },
        }),
      );
      const begin = () =>
        Daemon.start({
          name: 'notary-server',
          file: requireTool('notary-server'),
          args: ['-config', config],
          env: toolEnvironment(folder),
          log: join(folder, 'log'),
          ready: async () => (await get(`https://${address}/v2/`, ca)).status === 200,
        });
      return new NotaryServer(address, authority, begin, await begin());
    });
    workspace.closing(() => notary.stop());
    return notary;
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }

  /** Serves again at the same address, having forgotten everything: its storage was memory. */
  async restart(): Promise<void> {
    await this.stop();
    this.#daemon = await this.#begin();
  }

  async log(): Promise<string> {
    return await this.#daemon.log();
  }

  /** What it answers to a GET, as it stands. */
  async get(path: string): Promise<Metadata> {
    return await get(this.url + path, await readFile(this.authority.cert));
  }

  /** The version of a role's newest metadata, which every change of it raises. */
  async version(gun: string, role: string): Promise<number> {
    const { status, body } = await this.get(`/v2/${gun}/_trust/tuf/${role}.json`);
    if (status !== 200) throw new Error(`expected ${role} of ${gun}, got ${status}`);
    return JSON.parse(body.toString('utf8')).signed.version;
  }
}

export interface Metadata {
  readonly status: number;
  readonly body: Buffer;
}

function get(url: string, ca: Buffer): Promise<Metadata> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    asked.once('error', reject);
    asked.end();
  });
}
