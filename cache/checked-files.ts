import { algorithmOf, type Digest, DigestHash } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { blobPath } from './blob-path.ts';
import { type Disk, type FileFacts, hasCode, type OpenFile } from './disk.ts';
import type { Eviction, Kept } from './eviction.ts';

/** As large as reading gains from; one buffer a check. */
const CHECK_BUFFER = 1024 * 1024;

/** A file that changes each time it has been checked is being written to by somebody. */
const CHANGES_BORNE = 2;

/**
 * The way to a file of the cache: none is handed out that this process has not hashed whole and found right, in the
 * very state it is in now. Equal callers share one check.
 */
export class CheckedFiles {
  readonly #disk: Disk;
  readonly #data: string;
  readonly #eviction: Eviction;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #reverify: number;
  readonly #checks = new Map<Digest, Promise<boolean>>();

  constructor(options: CheckedFilesOptions) {
    this.#disk = options.disk;
    this.#data = options.data;
    this.#eviction = options.eviction;
    this.#log = options.log;
    this.#now = options.now;
    this.#reverify = options.reverify;
  }

  /** The caller closes the file. Undefined: not here, unreadable, or found corrupted and dropped just now. */
  async open(digest: Digest): Promise<{ readonly file: OpenFile; readonly size: number } | undefined> {
    for (let change = 0; change <= CHANGES_BORNE; change += 1) {
      const kept = this.#eviction.use(digest);
      if (kept === undefined) return undefined;
      const opened = await this.#openFile(kept);
      if (opened === undefined) return undefined;
      const { file, facts } = opened;
      if (this.#isChecked(kept, facts)) return { file, size: facts.size };
      await file.close();
      if (!(await this.#sharedCheck(kept))) return undefined;
    }
    this.#log.warn({ digest }, 'a cached file changes faster than it can be checked; it is not used');
    return undefined;
  }

  /** Content that was checked on its way to the disk. */
  placed(digest: Digest, facts: FileFacts): void {
    this.#eviction.keep({ digest, size: facts.size, checked: this.#checkedNow(facts) });
  }

  /** Reading it failed, or what was read was not it: it is hashed again before it is used again. */
  doubt(digest: Digest, cause: unknown): void {
    this.#log.warn({ digest, err: cause }, 'a cached file could not be read; it is checked before it is used again');
    this.#eviction.doubt(digest);
  }

  /** Removes the file and forgets it. When it cannot be removed it stays, to be checked before it is used. */
  async drop(digest: Digest): Promise<void> {
    const doubted = this.#eviction.doubt(digest);
    try {
      await this.#disk.remove(blobPath(this.#data, digest));
      if (doubted !== undefined) this.#eviction.forget(doubted);
    } catch (cause) {
      this.#log.warn({ digest, err: cause }, 'a cached file could not be removed');
    }
  }

  #isChecked(kept: Kept, facts: FileFacts): boolean {
    if (kept.checked === undefined || kept.checked.fingerprint !== facts.fingerprint) return false;
    const age = this.#now().getTime() - kept.checked.at;
    // A clock that was set back says nothing of how long ago that was.
    return age >= 0 && age < this.#reverify;
  }

  #checkedNow(facts: FileFacts): Kept['checked'] & object {
    return { fingerprint: facts.fingerprint, at: this.#now().getTime() };
  }

  async #openFile(kept: Kept): Promise<{ readonly file: OpenFile; readonly facts: FileFacts } | undefined> {
    const { digest } = kept;
    let file: OpenFile | undefined;
    try {
      file = await this.#disk.open(blobPath(this.#data, digest));
      return { file, facts: await file.facts() };
    } catch (cause) {
      await file?.close();
      if (hasCode(cause, 'ENOENT')) this.#eviction.forget(kept);
      else this.#log.warn({ digest, err: cause }, 'a cached file could not be opened; it is fetched again');
      return undefined;
    }
  }

  #sharedCheck(kept: Kept): Promise<boolean> {
    const { digest } = kept;
    let check = this.#checks.get(digest);
    if (check === undefined) {
      check = this.#check(kept).finally(() => this.#checks.delete(digest));
      this.#checks.set(digest, check);
    }
    return check;
  }

  /** Whether it makes sense to open the file again. */
  async #check(kept: Kept): Promise<boolean> {
    const { digest } = kept;
    const opened = await this.#openFile(kept);
    if (opened === undefined) return false;
    const { file, facts } = opened;
    try {
      const actual = await digestOfFile(file, digest);
      if (actual !== digest) {
        this.#log.error(
          { digest, actual, size: facts.size },
          'a cached file is corrupted; it is dropped, never served',
        );
        await this.drop(digest);
        return false;
      }
      const after = await file.facts();
      if (after.fingerprint === facts.fingerprint) this.placed(digest, after);
      return true;
    } catch (cause) {
      this.#log.warn({ digest, err: cause }, 'a cached file could not be read; it is fetched again');
      return false;
    } finally {
      await file.close();
    }
  }
}

export interface CheckedFilesOptions {
  readonly disk: Disk;
  readonly data: string;
  readonly eviction: Eviction;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds a check is good for. */
  readonly reverify: number;
}

async function digestOfFile(file: OpenFile, digest: Digest): Promise<Digest> {
  const hash = new DigestHash(algorithmOf(digest));
  const buffer = Buffer.allocUnsafeSlow(CHECK_BUFFER);
  for (let position = 0; ; ) {
    const count = await file.read(buffer, position);
    if (count === 0) return hash.digest();
    hash.update(buffer.subarray(0, count));
    position += count;
  }
}
