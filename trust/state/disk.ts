import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

/**
 * What the store does to a disk, each in one step that a crash comes before or after. A file counts as written once
 * `syncFolder` of its folder has returned.
 */
export interface Disk {
  read(path: string): Promise<Uint8Array>;
  /** Names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file, replacing any, and has its contents on the disk before it returns. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** As `write`, without waiting for the disk: for what may be lost. */
  writeLoosely(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Has the names in a folder on the disk before it returns. */
  syncFolder(path: string): Promise<void>;
  /** Removes a file or a folder with all in it; nothing there is fine too. */
  remove(path: string): Promise<void>;
}

/** Only the owner may read and write: whoever can write here can make us believe old versions. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export const NODE_DISK: Disk = {
  read: (path) => readFile(path),
  list: (folder) => readdir(folder),
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  },
  write: async (path, bytes) => {
    const file = await open(path, 'w', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  writeLoosely: async (path, bytes) => {
    const file = await open(path, 'w', FILE_MODE);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => rename(from, to),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};
