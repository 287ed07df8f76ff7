import { join } from 'node:path';
import { mustRun, toolEnvironment } from './command.ts';
import type { Publisher } from './publisher.ts';
import { requireTool } from './tool.ts';

const PASSPHRASES = {
  NOTARY_ROOT_PASSPHRASE: 'root passphrase of a test',
  NOTARY_TARGETS_PASSPHRASE: 'repository passphrase of a test',
  NOTARY_SNAPSHOT_PASSPHRASE: 'repository passphrase of a test',
  NOTARY_DELEGATION_PASSPHRASE: 'repository passphrase of a test',
};

/** The `notary` command, for what Docker's own has no word for; it works with the publisher's keys. */
export class NotaryCli {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** Founds a repository's trust, which Docker does at its first signed push; the snapshot key stays with the publisher. */
  async found(repository: string): Promise<void> {
    await this.#notary(['init', '--publish', this.#publisher.gun(repository)]);
  }

  /** A new key for a role, kept by the publisher or, where `holder` says so, by the server. */
  async rotate(repository: string, role: string, holder: 'publisher' | 'server' = 'publisher'): Promise<void> {
    const managed = holder === 'server' ? ['--server-managed'] : [];
    // Rotating the root asks whether one means it.
    await this.#notary(['key', 'rotate', this.#publisher.gun(repository), role, ...managed], 'yes\n');
  }

  /** Signs a digest that was not pushed by Docker, such as that of an index. `size` in bytes. */
  async signDigest(repository: string, tag: string, digest: string, size: number, role = 'targets'): Promise<void> {
    const what = [this.#publisher.gun(repository), tag, String(size), '--sha256', digest.replace(/^sha256:/, '')];
    await this.#notary(['addhash', '--publish', ...what, '--roles', role]);
  }

  /** Lets another person sign in the delegation `role`, such as `targets/ci`. */
  async delegate(repository: string, role: string, to: Publisher): Promise<void> {
    const what = [this.#publisher.gun(repository), role, await to.publicKey(), '--all-paths'];
    await this.#notary(['delegation', 'add', '--publish', ...what]);
  }

  async removeDelegation(repository: string, role: string): Promise<void> {
    const what = [this.#publisher.gun(repository), role];
    await this.#notary(['delegation', 'remove', '--publish', '--yes', ...what]);
  }

  async #notary(args: readonly string[], input = ''): Promise<string> {
    const { home, place } = this.#publisher;
    const server = ['--server', place.notary.url, '--tlscacert', place.notary.authority.cert];
    const keys = ['--trustDir', join(home, '.docker/trust')];
    const env = toolEnvironment(home, PASSPHRASES);
    return await mustRun(requireTool('notary'), [...server, ...keys, ...args], { env, input });
  }
}
