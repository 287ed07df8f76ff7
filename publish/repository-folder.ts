import { basename, join } from 'node:path';
import { KernelLock } from '../cache/kernel-lock.ts';
import { type Disk, isMissing, NODE_DISK } from './disk.ts';
import { messageOf, PublishError } from './publish-error.ts';
import { type Periods, parseSettings, settingsBytes } from './settings.ts';

/** What a web server is to read, and what only its owner is. */
const PUBLIC = { file: 0o644, folder: 0o755 };
const PRIVATE = { file: 0o600, folder: 0o700 };

const SETTINGS = 'repository.json';

/** `12.targets.json`: the version and the role of a file that never changes once it is there. */
const VERSIONED = /^([1-9][0-9]{0,14})\.([a-z0-9][a-z0-9_-]{0,62})\.json$/;

export interface FileName {
  readonly version: number;
  readonly role: string;
}

export function fileName(role: string, version: number): string {
  return `${version}.${role}.json`;
}

export function parseFileName(name: string): FileName | undefined {
  const [, version, role] = VERSIONED.exec(name) ?? [];
  return version === undefined || role === undefined ? undefined : { version: Number(version), role };
}

/**
 * The folder of one repository of ours: how its files are called, read and replaced. `metadata/` is what clients get, `staged/`
 * what still lacks signatures, `keys/` the private keys (`offline/` and `online/`), `tmp/` writing under way.
 */
export class RepositoryFolder {
  readonly path: string;
  readonly #disk: Disk;

  constructor(path: string, disk: Disk = NODE_DISK) {
    this.path = path;
    this.#disk = disk;
  }

  get metadata(): string {
    return join(this.path, 'metadata');
  }

  get staged(): string {
    return join(this.path, 'staged');
  }

  /** Keys that sign by hand. */
  get offlineKeys(): string {
    return join(this.path, 'keys', 'offline');
  }

  /** Keys that a server signs with. */
  get onlineKeys(): string {
    return join(this.path, 'keys', 'online');
  }

  /** @throws PublishError when there is anything in the folder already. */
  async make(): Promise<void> {
    const found = (await this.#disk.list(this.path)).filter((name) => name !== 'lock');
    if (found.length > 0) {
      throw new PublishError(
        `${this.path}: expected an empty folder or none, got one with ${found.sort().slice(0, 5).join(', ')}; nothing was changed`,
      );
    }
    for (const folder of [this.path, this.metadata]) await this.#disk.makeFolder(folder, PUBLIC.folder);
    for (const folder of [this.offlineKeys, this.onlineKeys]) await this.#disk.makeFolder(folder, PRIVATE.folder);
  }

  /** As its last step a founding writes the settings; without them a folder is no repository. */
  async settle(periods: Periods): Promise<void> {
    await this.#replace(this.path, SETTINGS, settingsBytes(periods), PUBLIC.file);
  }

  /** @throws PublishError when this is no repository. */
  async periods(): Promise<Periods> {
    const bytes = await this.#read(join(this.path, SETTINGS));
    if (bytes !== undefined) return parseSettings(bytes, join(this.path, SETTINGS));
    throw new PublishError(
      `${this.path} is not a TUF repository of docklock (it has no ${SETTINGS}): make one with docklock tuf init ${this.path}, or say where it is (--repository)`,
    );
  }

  /** Does the work while no other process does any here. @throws PublishError when one does */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.periods();
    const lock = this.#lock();
    try {
      return await work();
    } finally {
      lock.release();
    }
  }

  #lock(): KernelLock {
    let lock: KernelLock | undefined;
    try {
      lock = KernelLock.take(join(this.path, 'lock'));
    } catch (cause) {
      throw new PublishError(`${this.path} cannot be locked (${messageOf(cause)}): is it writable for this user?`, {
        cause,
      });
    }
    if (lock !== undefined) return lock;
    throw new PublishError(
      `${this.path} is being changed by another process just now; nothing was changed, try again when that one is done`,
    );
  }

  /** The versioned files that clients get, in no order. */
  async versioned(): Promise<readonly FileName[]> {
    return (await this.#disk.list(this.metadata)).map(parseFileName).filter((name) => name !== undefined);
  }

  async stagedNames(): Promise<readonly FileName[]> {
    return (await this.#disk.list(this.staged)).map(parseFileName).filter((name) => name !== undefined);
  }

  /** @throws PublishError when it is not there. */
  async readMetadata(name: string): Promise<Uint8Array> {
    const bytes = await this.findMetadata(name);
    if (bytes !== undefined) return bytes;
    throw new PublishError(
      `${join(this.metadata, name)} is missing: put it back from a backup or a mirror of the repository; nothing was changed`,
    );
  }

  /** Undefined when it is not there. */
  findMetadata(name: string): Promise<Uint8Array | undefined> {
    return this.#read(join(this.metadata, name));
  }

  readStaged(name: string): Promise<Uint8Array | undefined> {
    return this.#read(join(this.staged, name));
  }

  /** Writes a new version, for good. @throws PublishError when there is that version already: versions never change. */
  async addMetadata(name: string, bytes: Uint8Array): Promise<void> {
    const there = await this.#read(join(this.metadata, name));
    if (there !== undefined) {
      if (Buffer.compare(there, bytes) === 0) return;
      throw new PublishError(
        `${join(this.metadata, name)}: expected no such file yet, and it is there with other contents`,
      );
    }
    await this.#replace(this.metadata, name, bytes, PUBLIC.file);
  }

  async replaceTimestamp(bytes: Uint8Array): Promise<void> {
    await this.#replace(this.metadata, 'timestamp.json', bytes, PUBLIC.file);
  }

  /** @returns the path of the file */
  async stage(name: string, bytes: Uint8Array): Promise<string> {
    await this.#disk.makeFolder(this.staged, PUBLIC.folder);
    await this.#replace(this.staged, name, bytes, PUBLIC.file);
    return join(this.staged, name);
  }

  async unstage(name: string): Promise<void> {
    await this.#disk.remove(join(this.staged, name));
  }

  async removeMetadata(name: string): Promise<void> {
    await this.#disk.remove(join(this.metadata, name));
  }

  /** @returns the path of the file */
  async writeKey(folder: string, name: string, text: string): Promise<string> {
    await this.#disk.makeFolder(folder, PRIVATE.folder);
    await this.#replace(folder, name, Buffer.from(text), PRIVATE.file);
    return join(folder, name);
  }

  async #replace(folder: string, name: string, bytes: Uint8Array, mode: number): Promise<void> {
    // Aside, and not in the folder that clients are served from.
    const tmp = join(this.path, 'tmp');
    await this.#disk.makeFolder(tmp, PRIVATE.folder);
    const aside = join(tmp, basename(name));
    await this.#disk.write(aside, bytes, mode);
    await this.#disk.rename(aside, join(folder, name));
    await this.#disk.syncFolder(folder);
  }

  async #read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#disk.read(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new PublishError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }
}
