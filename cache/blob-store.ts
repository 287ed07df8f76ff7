import { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { Fill } from './blob-fill.ts';
import { ALGORITHMS, ASIDE_PREFIX, algorithmFolder, asideFolder, asidePath, blobPath } from './blob-path.ts';
import { scanBlobs } from './blob-scan.ts';
import { CheckedFiles } from './checked-files.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { Eviction } from './eviction.ts';
import { FillError } from './fill-error.ts';
import { FillFile } from './fill-file.ts';
import { ReadBuffers } from './read-buffers.ts';
import { loadRecency, saveRecency } from './recency.ts';
import type { Source } from './resumed-source.ts';
import { type Claim, Room } from './room.ts';
import { StoredBlob } from './stored-blob.ts';

const MINUTE = 60_000;

/** Rot that the file system does not notice is found within a day. */
const REVERIFY = 24 * 60 * MINUTE;

/** What a crash forgets of the order of use. */
const SAVE_INTERVAL = 5 * MINUTE;

export interface BlobStoreOptions {
  /** The data folder; content goes to `blobs/` in it, unfinished files to `tmp/`. One process owns it (DataFolder). */
  readonly folder: string;
  /** Bytes. */
  readonly maxSize: number;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds after which a file that was checked is hashed again before it is used; a day by default. */
  readonly reverify?: number;
  readonly disk?: Disk;
}

/** Content by digest, on disk. What it hands out was checked by this process; what does not match is dropped. */
export class BlobStore {
  readonly #data: string;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #eviction: Eviction;
  readonly #room: Room;
  readonly #files: CheckedFiles;
  readonly #buffers = new ReadBuffers();
  /** By digest and size, and for `put` apart: who says another size is not to spoil it for the others. */
  readonly #fills = new Map<string, Fill>();
  #saved: number;
  #saving: Promise<void> | undefined;
  #closed = false;

  private constructor(options: BlobStoreOptions) {
    const { folder, log, now, maxSize, disk = nodeDisk, reverify = REVERIFY } = options;
    this.#data = folder;
    this.#disk = disk;
    this.#log = log;
    this.#now = now;
    this.#saved = now().getTime();
    const eviction = new Eviction({ remove: (digest) => disk.remove(blobPath(folder, digest)), log });
    this.#eviction = eviction;
    this.#room = new Room({ maxSize, eviction, freeBytes: () => disk.freeBytes(asideFolder(folder)) });
    this.#files = new CheckedFiles({ disk, data: folder, eviction, log, now, reverify });
  }

  /** Finds what is there, removes what was unfinished. @throws when the folder cannot be written. */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const store = new BlobStore(options);
    await store.#prepare();
    const saved = await loadRecency(options.folder, options.log);
    for (const found of await scanBlobs(store.#disk, options.folder, saved, options.log)) store.#eviction.keep(found);
    // What cannot be evicted now was logged, and is tried again when room is needed.
    await store.#eviction.shrinkTo(options.maxSize).catch(() => undefined);
    return store;
  }

  /** Bytes of content kept, without what is under way. */
  get bytes(): number {
    return this.#eviction.bytes;
  }

  get count(): number {
    return this.#eviction.count;
  }

  /**
   * Undefined: not here. A file this process has not checked, or that changed since, is hashed whole first; a
   * corrupted one is dropped and not here, an unreadable one is not here.
   */
  async open(digest: Digest): Promise<StoredBlob | undefined> {
    const checked = await this.#files.open(digest);
    this.#saveNowAndThen();
    if (checked === undefined) return undefined;
    return new StoredBlob(checked, this.#buffers, (cause) => this.#files.doubt(digest, cause));
  }

  /** The bytes, unless there are more than `limit`, which is then not here as what was asked for. */
  async readAll(digest: Digest, limit: number): Promise<Uint8Array | undefined> {
    const blob = await this.open(digest);
    if (blob === undefined) return undefined;
    if (blob.size > limit) {
      await blob.close();
      return undefined;
    }
    try {
      return Buffer.concat(await blob.stream().toArray());
    } catch (cause) {
      this.#log.warn({ digest, err: cause }, 'a cached file could not be read; it is fetched again');
      return undefined;
    }
  }

  /** Checks and stores bytes that are in memory. @throws FillError mismatch, disk */
  put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const source = async (offset: number) => Readable.from([bytes.subarray(offset)]);
    return this.#join(`put ${digest} ${bytes.length}`, { digest, size: bytes.length }, source).done;
  }

  /** Joins the fill of this content, or starts it. What got here meanwhile is not fetched again. */
  fill(digest: Digest, size: number, source: Source): Fill {
    return this.#join(`${digest} ${size}`, { digest, size }, source);
  }

  running(digest: Digest): Fill | undefined {
    return [...this.#fills.values()].find((fill) => fill.digest === digest);
  }

  drop(digest: Digest): Promise<void> {
    return this.#files.drop(digest);
  }

  /** Ends the fills under way, whose readers get an error, and saves the order of use. */
  async close(): Promise<void> {
    this.#closed = true;
    const fills = [...this.#fills.values()];
    for (const fill of fills) fill.abort('the store was closed');
    await Promise.allSettled(fills.map((fill) => fill.done));
    await this.#saving;
    await this.#save();
  }

  async #prepare(): Promise<void> {
    for (const algorithm of ALGORITHMS) await this.#disk.makeFolder(algorithmFolder(this.#data, algorithm));
    await this.#disk.makeFolder(asideFolder(this.#data));
    const unfinished = (await this.#disk.list(asideFolder(this.#data))).filter((name) => name.startsWith(ASIDE_PREFIX));
    for (const name of unfinished) await this.#disk.remove(asidePath(this.#data, name.slice(ASIDE_PREFIX.length)));
    if (unfinished.length > 0)
      this.#log.info({ count: unfinished.length }, 'removed what the last run left unfinished');
  }

  #join(key: string, expected: { readonly digest: Digest; readonly size: number }, source: Source): Fill {
    const running = this.#fills.get(key);
    if (running !== undefined) return running;
    const { digest, size } = expected;
    let claim: Claim | undefined;
    const fill: Fill = new Fill(expected, source, {
      buffers: this.#buffers,
      stored: () => this.#files.open(digest),
      begin: async () => {
        if (this.#closed) throw new FillError('disk', 'expected an open store, got a closed one');
        claim = await this.#room.claim(size);
        return FillFile.create({ disk: this.#disk, data: this.#data, digest, claim, log: this.#log });
      },
      placed: (facts) => {
        claim?.release();
        this.#files.placed(digest, facts);
      },
      leave: () => {
        claim?.release();
        if (this.#fills.get(key) === fill) this.#fills.delete(key);
      },
    });
    // Also: a fill that fails while nobody waits for it must not end the process.
    fill.done.catch((error: FillError) => this.#report(error, digest));
    this.#fills.set(key, fill);
    return fill;
  }

  #report(error: FillError, digest: Digest): void {
    if (error.kind === 'mismatch') this.#log.error({ digest, err: error }, 'content is not what its digest says');
    else this.#log.warn({ digest, err: error }, 'content could not be filled');
  }

  #saveNowAndThen(): void {
    const now = this.#now().getTime();
    if (Math.abs(now - this.#saved) < SAVE_INTERVAL || this.#saving !== undefined) return;
    this.#saved = now;
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined;
    });
  }

  async #save(): Promise<void> {
    try {
      await saveRecency(this.#disk, this.#data, this.#eviction.leastRecentFirst());
    } catch (cause) {
      this.#log.warn({ err: cause }, 'the order of use could not be saved; the next start goes by time of writing');
    }
  }
}
