import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { platform } from 'node:process';

/** `fingerprint` changes whenever the file is another one, or was written to, truncated or touched since. */
export interface FileFacts {
  readonly size: number;
  readonly fingerprint: string;
}

/** An open file. What it reads stays readable after the file was removed or replaced under its name. */
export interface OpenFile {
  /** Bytes read, at most `into.length`; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of them. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  facts(): Promise<FileFacts>;
  close(): Promise<void>;
}

/** The calls that the content of the cache is written and read with. A test puts a failing disk in its place. */
export interface Disk {
  open(path: string): Promise<OpenFile>;
  /** A new file, to write and to read. Fails when there is one. */
  create(path: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is as good as removed. */
  remove(path: string): Promise<void>;
  /** The names in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  modifiedAt(path: string): Promise<{ readonly size: number; readonly modified: number }>;
  /** Makes the folder and those above it, durably. */
  makeFolder(path: string): Promise<void>;
  /** After it a rename in the folder survives a power cut. */
  syncFolder(path: string): Promise<void>;
  /** Bytes that we may still write; undefined where the file system does not tell. */
  freeBytes(path: string): Promise<number | undefined>;
}

/** What pulled images contain is nobody else's business on this machine. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export const nodeDisk: Disk = {
  open: async (path) => new NodeFile(await open(path, constants.O_RDONLY)),
  create: async (path) => new NodeFile(await open(path, 'wx+', FILE_MODE)),
  rename,
  remove: (path) => rm(path, { force: true }),
  list: async (folder) => {
    try {
      return await readdir(folder);
    } catch (cause) {
      if (hasCode(cause, 'ENOENT', 'ENOTDIR')) return [];
      throw cause;
    }
  },
  modifiedAt: async (path) => {
    const { size, mtimeMs } = await stat(path);
    return { size, modified: mtimeMs };
  },
  makeFolder: async (path) => {
    const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    const above = dirname(resolve(first));
    for (let made = resolve(path); made !== above; made = dirname(made)) await syncFolder(dirname(made));
  },
  syncFolder,
  freeBytes: async (path) => {
    const { bavail, blocks, bsize } = await statfs(path);
    // Some network and user-space file systems say 0 of 0.
    return blocks === 0 ? undefined : bavail * bsize;
  },
};

/** Whether this is a system error with one of the codes (`ENOENT`, ...). */
export function hasCode(cause: unknown, ...codes: string[]): boolean {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' && codes.includes(cause.code);
}

class NodeFile implements OpenFile {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.#file.read(into, 0, into.length, position)).bytesRead;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      done += (await this.#file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  async facts(): Promise<FileFacts> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await this.#file.stat({ bigint: true });
    return { size: Number(size), fingerprint: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}` };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folder as a file; there a rename is as durable as it gets.
  if (platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
