import { dirname, join } from 'node:path';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { Disk } from '../state/disk.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';

/** Names of the records in the folder; all other files are named by the SHA-256 of their bytes. */
export const STATE = 'state';
export const REFRESHED = 'refreshed';

/** A path beside that of one authority. What is beside it may be that of another one, but no authority has a `~` in its name. */
export function besideIt(path: string, what: string): string {
  return `${path}~${what}`;
}

export interface StatePlace {
  /** Holds the metadata of this authority, and nothing else. May be removed as a whole. */
  readonly folder: string;
  /** The file with the versions seen, outside the folder. */
  readonly floors: string;
  readonly disk: Disk;
}

/** Where the state of one authority lies, and how its files are read and replaced. */
export class StateFiles {
  readonly folder: string;
  readonly floors: string;
  readonly disk: Disk;

  constructor({ folder, floors, disk }: StatePlace) {
    this.folder = folder;
    this.floors = floors;
    this.disk = disk;
  }

  async exists(): Promise<boolean> {
    try {
      await this.disk.list(this.folder);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw this.damaged(error);
    }
  }

  /** @param name in the folder. @returns undefined when there is no such file. @throws MetadataError TRUST_STATE_DAMAGED */
  async read(name: string): Promise<Uint8Array | undefined> {
    return await this.#read(join(this.folder, name), (cause) => this.damaged(cause));
  }

  /** As `read`, of the record of versions. */
  async readFloors(): Promise<Uint8Array | undefined> {
    return await this.#read(this.floors, (cause) => this.floorsDamaged(cause));
  }

  /** Replaces a file in the folder as a whole. It lasts once the folder has been synced. */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.folder, name);
    await this.#replace(path, `${path}.new`, bytes);
  }

  /** Replaces the record of versions; it lasts when this returns. */
  async replaceFloors(bytes: Uint8Array): Promise<void> {
    await this.disk.makeFolder(dirname(this.floors));
    await this.#replace(this.floors, besideIt(this.floors, 'new'), bytes);
    await this.disk.syncFolder(dirname(this.floors));
  }

  async sync(): Promise<void> {
    await this.disk.syncFolder(this.folder);
  }

  /** Says what is wrong and how to go on. Without the folder it begins again from the pinned root, and not below what was seen. */
  damaged(cause: unknown): MetadataError {
    return damage(
      cause,
      `the trust state in ${this.folder} is damaged (${messageOf(cause)}): remove that whole folder and keep ${this.floors}; ` +
        'trust then begins again at the pinned root, and no version below those already seen is accepted',
    );
  }

  /** Only where the versions themselves are lost does an operator have to give them up. */
  floorsDamaged(cause: unknown): MetadataError {
    return damage(
      cause,
      `the record of versions seen, ${this.floors}, is damaged (${messageOf(cause)}): restore its newest backup, or remove it ` +
        `together with the folder ${this.folder} to begin anew, which gives up what is known of earlier versions`,
    );
  }

  unwritable(cause: unknown): StateUnwritable {
    return new StateUnwritable(`the trust state in ${this.folder} could not be written: ${messageOf(cause)}`, {
      cause,
    });
  }

  async #read(path: string, damaged: (cause: unknown) => MetadataError): Promise<Uint8Array | undefined> {
    try {
      return await this.disk.read(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw damaged(error);
    }
  }

  async #replace(path: string, aside: string, bytes: Uint8Array): Promise<void> {
    await this.disk.write(aside, bytes);
    await this.disk.rename(aside, path);
  }
}

function damage(cause: unknown, message: string): MetadataError {
  if (cause instanceof MetadataError && cause.reason === 'TRUST_STATE_DAMAGED') return cause;
  return new MetadataError('TRUST_STATE_DAMAGED', message, { cause });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
