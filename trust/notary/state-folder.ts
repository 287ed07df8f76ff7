import { join } from 'node:path';
import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { Disk } from '../state/disk.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { Gun } from './gun.ts';

/** Names of the records in a folder; all other files are named by the SHA-256 of their bytes. */
export const STATE = 'state';
export const GENERATION = 'generation';
export const REFRESHED = 'refreshed';

/** Readable part of a folder's name; the hash after it makes it unique, and the whole fits any file system. */
const FOLDER_NAME_LENGTH = 100;

/** Half a SHA-256: two names that are to collide take 2^64 tries, and would be told apart by the GUN in the state. */
const FOLDER_HASH_LENGTH = 32;

/** What `folderName` makes. */
export const FOLDER_NAME = new RegExp(`^[A-Za-z0-9._-]{1,${FOLDER_NAME_LENGTH}}-[0-9a-f]{${FOLDER_HASH_LENGTH}}$`);

/** What the folder of a repository is called. */
export function folderName(gun: Gun): string {
  const readable = gun.replaceAll(/[^a-z0-9._-]/gi, '_').slice(0, FOLDER_NAME_LENGTH);
  return `${readable}-${hexDigest('sha256', Buffer.from(gun)).slice(0, FOLDER_HASH_LENGTH)}`;
}

/** The folder of one repository: how it is called, and how its files are read and replaced. */
export class StateFolder {
  readonly path: string;
  readonly parent: string;
  readonly gun: Gun;
  readonly disk: Disk;

  constructor(parent: string, gun: Gun, disk: Disk) {
    this.parent = parent;
    this.path = join(parent, folderName(gun));
    this.gun = gun;
    this.disk = disk;
  }

  async exists(): Promise<boolean> {
    try {
      await this.disk.list(this.path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw this.damaged(error);
    }
  }

  /** @returns `undefined` when there is no such file. @throws MetadataError TRUST_STATE_DAMAGED when it cannot be read. */
  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await this.disk.read(join(this.path, name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.damaged(error);
    }
  }

  /** Replaces a file as a whole. It lasts once the folder has been synced. */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await this.disk.write(`${path}.new`, bytes);
    await this.disk.rename(`${path}.new`, path);
  }

  async sync(): Promise<void> {
    await this.disk.syncFolder(this.path);
  }

  /** Says what is wrong and how to go on. */
  damaged(cause: unknown): MetadataError {
    return damage({ of: this.gun, path: this.path }, cause);
  }

  unwritable(cause: unknown): StateUnwritable {
    return new StateUnwritable(`the trust state of ${this.gun} could not be written: ${messageOf(cause)}`, { cause });
  }
}

/** A fault found in the folder at `path`, with what to do about it. */
export function damage({ of, path }: { readonly of: string; readonly path: string }, cause: unknown): MetadataError {
  if (cause instanceof MetadataError && cause.reason === 'TRUST_STATE_DAMAGED') return cause;
  return new MetadataError(
    'TRUST_STATE_DAMAGED',
    `the trust state of ${of} is damaged (${messageOf(cause)}): restore ${path} from its newest backup, ` +
      'or remove that whole folder to begin anew, which gives up what is known of earlier versions',
    { cause },
  );
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
