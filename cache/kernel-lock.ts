import { DatabaseSync } from 'node:sqlite';

/** SQLite's primary result code for a lock that another holds. */
const SQLITE_BUSY = 5;

/** Milliseconds: outlasts a look at the lock (`isLocked`), which holds it for less than one. */
const PATIENCE = 250;

/**
 * A lock of the operating system's on a file, through the SQLite that Node brings: Node itself has no such call. The
 * kernel drops it however its process ends, and it holds between containers, where process numbers say nothing.
 */
export class KernelLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Undefined when it is held, by this process or another. @throws when the file system cannot lock. */
  static take(path: string): KernelLock | undefined {
    const database = new DatabaseSync(path, { timeout: PATIENCE });
    try {
      database.exec('BEGIN EXCLUSIVE');
      return new KernelLock(database);
    } catch (cause) {
      database.close();
      if (isBusy(cause)) return undefined;
      throw cause;
    }
  }

  /** Whether somebody holds the lock on this file, which must exist. */
  static isHeld(path: string): boolean {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec('SELECT 1 FROM sqlite_schema');
      return false;
    } catch (cause) {
      if (isBusy(cause)) return true;
      throw cause;
    } finally {
      database.close();
    }
  }

  /** The file stays: removing it would let two take the lock, one on each file. */
  release(): void {
    this.#database.close();
  }
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY;
}
