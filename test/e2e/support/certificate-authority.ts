import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, toolEnvironment } from './command.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** Outlives the furthest that a test sets a clock ahead. */
const VALID_DAYS = '3650';

export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A private CA such as a company has: made by openssl, known only to who is told. */
export class CertificateAuthority {
  /** Path of its certificate in PEM. */
  readonly cert: string;
  readonly #folder: string;
  #issued = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.cert = join(folder, 'ca.crt');
  }

  static async create(workspace: Workspace): Promise<CertificateAuthority> {
    const folder = await workspace.folder('ca');
    const authority = new CertificateAuthority(folder);
    await authority.#openssl('req', '-x509', ...newKey('ca.key'), '-days', VALID_DAYS, ...name('CA'), '-out', 'ca.crt');
    return authority;
  }

  /** A certificate for 127.0.0.1 and the given host names. */
  async issue(names: readonly string[] = []): Promise<ServerCertificate> {
    this.#issued += 1;
    const server = `server-${this.#issued}`;
    const alternatives = ['IP:127.0.0.1', ...names.map((host) => `DNS:${host}`)].join(',');
    const extensions = `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth\n`;
    await writeFile(join(this.#folder, `${server}.ext`), extensions);
    await this.#openssl('req', ...newKey(`${server}.key`), ...name('server'), '-out', `${server}.csr`);
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    const leaf = ['-days', VALID_DAYS, '-extfile', `${server}.ext`, '-out', `${server}.crt`];
    await this.#openssl('x509', '-req', '-in', `${server}.csr`, ...signer, ...leaf);
    return { cert: join(this.#folder, `${server}.crt`), key: join(this.#folder, `${server}.key`) };
  }

  async #openssl(...args: string[]): Promise<void> {
    await mustRun(requireTool('openssl'), args, { cwd: this.#folder, env: toolEnvironment(this.#folder) });
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

function name(who: string): string[] {
  return ['-subj', `/CN=DockLock e2e ${who}`];
}
