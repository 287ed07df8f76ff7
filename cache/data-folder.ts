import { randomUUID } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import type { Log } from '../oci/log.ts';
import { asideFolder } from './blob-path.ts';
import { type Disk, hasCode, nodeDisk } from './disk.ts';
import { KernelLock } from './kernel-lock.ts';

/** Who owns a data folder: for a person to read. In a container `pid` counts only there, and `host` names it. */
export interface DataFolderOwner {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/** The folder is owned by a living process. */
export class DataFolderBusy extends Error {
  override readonly name = 'DataFolderBusy';
  readonly owner: DataFolderOwner | undefined;

  constructor(path: string, owner: DataFolderOwner | undefined) {
    const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host} since ${owner.since}`;
    super(
      `the data folder ${path} is in use by ${who}: stop that process, or give this one another folder (data: in the configuration)`,
    );
    this.owner = owner;
  }
}

/** The folder cannot be used as it is; the message says what to do. */
export class DataFolderUnusable extends Error {
  override readonly name = 'DataFolderUnusable';

  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `the data folder ${path} cannot be used (${why}): make it writable for this user, or set data: in the configuration to a folder that is`,
      { cause },
    );
  }
}

/** `full`: only room is wanting; what is there can be read, and pulls go on without the cache growing. */
export type FolderCondition = 'writable' | 'full' | 'unwritable';

/** The one folder for everything that is kept. One process owns it at a time, until it releases it or ends. */
export class DataFolder {
  readonly path: string;
  readonly #lock: KernelLock;
  readonly #disk: Disk;

  private constructor(path: string, lock: KernelLock, disk: Disk) {
    this.path = path;
    this.#lock = lock;
    this.#disk = disk;
  }

  /**
   * Makes the folder if need be, proves that it can be written, owns it, and removes what a crash left unfinished.
   * The folder of a process that ended, however, is free.
   * @throws DataFolderBusy, DataFolderUnusable
   */
  static async claim(path: string, log: Log, disk: Disk = nodeDisk): Promise<DataFolder> {
    let lock: KernelLock | undefined;
    try {
      await disk.makeFolder(path);
      await prove(disk, path);
      lock = KernelLock.take(lockPath(path));
      if (lock === undefined) throw new DataFolderBusy(path, await readOwner(path));
      await clearAside(disk, path, log);
      const owner: DataFolderOwner = { pid, host: hostname(), since: new Date().toISOString() };
      await write(disk, join(asideFolder(path), randomUUID()), ownerPath(path), JSON.stringify(owner));
      return new DataFolder(path, lock, disk);
    } catch (cause) {
      lock?.release();
      throw cause instanceof DataFolderBusy ? cause : new DataFolderUnusable(path, cause);
    }
  }

  /** Whether a living process owns the folder. Changes nothing. @throws DataFolderUnusable */
  static async peek(path: string): Promise<boolean> {
    try {
      await stat(lockPath(path));
      return KernelLock.isHeld(lockPath(path));
    } catch (cause) {
      if (hasCode(cause, 'ENOENT', 'ENOTDIR')) return false;
      throw new DataFolderUnusable(path, cause);
    }
  }

  /** Writes, syncs and renames a small file, to see whether that still goes. Never throws. */
  async condition(): Promise<FolderCondition> {
    try {
      // Among what is aside: there the next start removes what a crash leaves of it.
      await prove(this.#disk, asideFolder(this.path));
      return 'writable';
    } catch (cause) {
      return hasCode(cause, 'ENOSPC', 'EDQUOT') ? 'full' : 'unwritable';
    }
  }

  async release(): Promise<void> {
    await rm(ownerPath(this.path), { force: true });
    this.#lock.release();
  }
}

async function clearAside(disk: Disk, path: string, log: Log): Promise<void> {
  const aside = asideFolder(path);
  const unfinished = await disk.list(aside);
  await rm(aside, { recursive: true, force: true });
  await disk.makeFolder(aside);
  if (unfinished.length > 0)
    log.info({ path: aside, count: unfinished.length }, 'removed what the last run left unfinished');
}

/** Opened by nothing but KernelLock: closing it any other way would drop this process's lock (fcntl(2), "record locks"). */
function lockPath(path: string): string {
  return join(path, 'lock');
}

function ownerPath(path: string): string {
  return join(path, 'owner.json');
}

/** A folder that can be written, synced and renamed in: what every promise about crashes rests on. */
async function prove(disk: Disk, path: string): Promise<void> {
  const probe = join(path, `probe-${randomUUID()}`);
  try {
    await write(disk, `${probe}.new`, probe, 'DockLock was here to see whether it can write\n');
  } finally {
    await disk.remove(probe);
  }
}

async function write(disk: Disk, aside: string, place: string, text: string): Promise<void> {
  const file = await disk.create(aside);
  try {
    await file.write(Buffer.from(text), 0);
    await file.sync();
    await disk.rename(aside, place);
    await disk.syncFolder(join(place, '..'));
  } finally {
    await file.close();
    await disk.remove(aside);
  }
}

async function readOwner(path: string): Promise<DataFolderOwner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(ownerPath(path), 'utf8'));
    return isOwner(owner) ? owner : undefined;
  } catch {
    // It is only told to a person: the lock decides.
    return undefined;
  }
}

function isOwner(value: unknown): value is DataFolderOwner {
  if (typeof value !== 'object' || value === null) return false;
  const { pid: id, host, since } = value as Record<string, unknown>;
  return typeof id === 'number' && typeof host === 'string' && typeof since === 'string';
}
