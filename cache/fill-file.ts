import { randomUUID } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { asidePath, blobFolder, blobPath } from './blob-path.ts';
import type { Disk, FileFacts, OpenFile } from './disk.ts';
import { asFillError } from './fill-error.ts';
import type { Claim } from './room.ts';

/** The file that content is written to, aside, until it is whole and gets its name. Every error is a FillError disk. */
export class FillFile {
  readonly file: OpenFile;
  readonly #disk: Disk;
  readonly #data: string;
  readonly #digest: Digest;
  readonly #aside: string;
  readonly #claim: Claim;
  readonly #log: Log;
  #written = 0;
  #placed = false;

  private constructor(file: OpenFile, aside: string, options: FillFileOptions) {
    this.file = file;
    this.#aside = aside;
    this.#disk = options.disk;
    this.#data = options.data;
    this.#digest = options.digest;
    this.#claim = options.claim;
    this.#log = options.log;
  }

  static async create(options: FillFileOptions): Promise<FillFile> {
    const aside = asidePath(options.data, randomUUID());
    try {
      return new FillFile(await options.disk.create(aside), aside, options);
    } catch (cause) {
      throw asFillError('disk', 'content cannot be written', cause);
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      await this.#claim.take(bytes.length);
      await this.file.write(bytes, this.#written);
      this.#written += bytes.length;
    } catch (cause) {
      throw asFillError('disk', 'content could not be written', cause);
    }
  }

  /**
   * Once the content was checked: gives it its name, durably. Undefined for content that may not stay.
   * What was synced before it was named is whole wherever its name is seen, also after a power cut.
   */
  async place(): Promise<FileFacts | undefined> {
    if (!this.#claim.kept) return undefined;
    try {
      await this.file.sync();
      const folder = blobFolder(this.#data, this.#digest);
      await this.#disk.makeFolder(folder);
      await this.#disk.rename(this.#aside, blobPath(this.#data, this.#digest));
      this.#placed = true;
      await this.#disk.syncFolder(folder);
      return await this.file.facts();
    } catch (cause) {
      throw asFillError('disk', 'content could not be placed', cause);
    }
  }

  /** Removes what was not placed. Readers of the open file keep it until they are gone. */
  async clear(): Promise<void> {
    if (this.#placed) return;
    try {
      await this.#disk.remove(this.#aside);
    } catch (cause) {
      this.#log.warn({ err: cause, path: this.#aside }, 'an unfinished file could not be removed; the next start will');
    }
  }
}

export interface FillFileOptions {
  readonly disk: Disk;
  readonly data: string;
  readonly digest: Digest;
  readonly claim: Claim;
  readonly log: Log;
}
