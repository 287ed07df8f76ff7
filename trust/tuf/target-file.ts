import { dirname, join } from 'node:path';
import { type MetadataAnswer, type MetadataFetch, MetadataTooLarge } from '../fetch-metadata.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import { echo, MetadataError } from '../metadata/metadata-error.ts';
import type { Disk } from '../state/disk.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import type { Repository } from './repository.ts';
import { search } from './search.ts';
import { besideIt } from './state-files.ts';

export interface TargetFileOptions {
  /** The target's path in the repository. */
  readonly path: string;
  /** The URL that targets lie under. */
  readonly base: string;
  readonly fetch: MetadataFetch;
  /** Most bytes, whatever length is signed. */
  readonly limit: number;
  /** Holds the bytes, under the SHA-256 of each, and nothing else. */
  readonly folder: string;
  readonly disk: Disk;
  /** Writes nothing. */
  readonly readOnly: boolean;
}

/** What the repository says the target is. */
export interface NamedTarget {
  readonly length: number;
  /** In hex. */
  readonly sha256: string;
}

const ANY_ROLE: ReadonlySet<string> = new Set();

/** The bytes of one target of a TUF repository: found by its metadata, checked against it, the last good ones kept on disk. */
export class TargetFile {
  readonly #options: TargetFileOptions;

  constructor(options: TargetFileOptions) {
    this.#options = options;
  }

  /** @throws MetadataError METADATA_INVALID when there is no such target, or one without sha256 or too long; the fault of a role on the way */
  named(repository: Repository, now: Date): NamedTarget {
    const { path, limit } = this.#options;
    const found = search(repository, path, ANY_ROLE, now);
    if (found === undefined) throw new MetadataError('METADATA_INVALID', `there is no target ${echo(path)}`);
    const { length, sha256 } = found.target;
    if (length > limit) {
      throw new MetadataError('METADATA_INVALID', `${path}: expected at most ${limit} bytes, got ${length}`);
    }
    return { length, sha256 };
  }

  /** @returns undefined when they are not there, or no longer what they were: then they have to be fetched again */
  async stored(sha256: string): Promise<Uint8Array | undefined> {
    const { disk, folder } = this.#options;
    const bytes = await disk.read(join(folder, sha256)).catch(() => undefined); // a copy, of which the server has the original
    return bytes !== undefined && hexDigest('sha256', bytes) === sha256 ? bytes : undefined;
  }

  /**
   * TUF specification 5.7: at most as long as is signed, and then exactly that long, with the hash that is signed.
   * @throws MetadataError METADATA_MISMATCH; MetadataUnavailable
   */
  async fetched(repository: Repository, { length, sha256 }: NamedTarget): Promise<Uint8Array> {
    const { path } = this.#options;
    const answer = await this.#get(this.#url(repository, sha256), length);
    if (answer?.kind !== 'found') {
      const got = answer === undefined ? 'more' : '404 (not found)';
      throw new MetadataError('METADATA_MISMATCH', `${path}: expected the ${length} bytes that are signed, got ${got}`);
    }
    const { bytes } = answer;
    if (bytes.byteLength !== length || hexDigest('sha256', bytes) !== sha256) {
      const got = bytes.byteLength === length ? 'others' : `${bytes.byteLength}`;
      throw new MetadataError('METADATA_MISMATCH', `${path}: expected the ${length} bytes that are signed, got ${got}`);
    }
    return bytes;
  }

  /**
   * Has the bytes on disk, by way of a file aside, and forgets others.
   * @param still the SHA-256 of what may still be asked for
   * @throws StateUnwritable
   */
  async keep(sha256: string, bytes: Uint8Array, still: string | undefined): Promise<void> {
    const { disk, folder, readOnly } = this.#options;
    if (readOnly) return;
    const path = join(folder, sha256);
    try {
      await disk.makeFolder(folder);
      await disk.write(besideIt(path, 'new'), bytes);
      await disk.rename(besideIt(path, 'new'), path);
      await disk.syncFolder(folder);
      await disk.syncFolder(dirname(folder));
      for (const name of await disk.list(folder)) {
        if (name !== sha256 && name !== still) await disk.remove(join(folder, name));
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StateUnwritable(`${path} could not be written: ${why}`, { cause });
    }
  }

  /** @returns undefined for an answer that is too long */
  async #get(url: string, limit: number): Promise<MetadataAnswer | undefined> {
    try {
      return await this.#options.fetch.get(url, limit);
    } catch (error) {
      if (error instanceof MetadataTooLarge) return undefined;
      throw error;
    }
  }

  /** With consistent snapshots the hash stands in front of the last part of the path: TUF specification 6.2. */
  #url({ chain }: Repository, sha256: string): string {
    const { path, base } = this.#options;
    const parts = path.split('/').map(encodeURIComponent);
    const last = parts.pop() ?? '';
    parts.push(chain.current.metadata.consistent ? `${sha256}.${last}` : last);
    return `${base.replace(/\/+$/, '')}/${parts.join('/')}`;
  }
}
