import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

/** What the publisher does to a disk, each in one step that a crash comes before or after. */
export interface Disk {
  read(path: string): Promise<Uint8Array>;
  /** The names in a folder; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  makeFolder(path: string, mode: number): Promise<void>;
  /** Writes a whole file, replacing any, and has its contents on the disk before it returns. */
  write(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Has the names in a folder on the disk before it returns. */
  syncFolder(path: string): Promise<void>;
  /** Nothing there is fine too. */
  remove(path: string): Promise<void>;
}

export const NODE_DISK: Disk = {
  read: (path) => readFile(path),
  list: async (folder) => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  makeFolder: async (path, mode) => {
    await mkdir(path, { recursive: true, mode });
  },
  write: async (path, bytes, mode) => {
    const file = await open(path, 'w', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
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
  remove: (path) => rm(path, { force: true }),
};

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
