import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { MetadataUnavailable } from '../fetch-metadata.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { StateUnwritable } from '../state/state-unwritable.ts';
import { noRepository } from './assemble.ts';
import { ROOT_LIMIT, ROOT_ROTATION_LIMIT, TIMESTAMP_LIMIT } from './metadata-limits.ts';
import { type RootChain, type RootFile, readRoot, requireSuccessor } from './root-chain.ts';
import type { FileName, MetadataFiles } from './source.ts';
import type { Staging } from './staging.ts';

/** Never asked: the fetcher takes the names of files off it. */
const BASE = 'https://metadata.invalid/';

/** Thrown where tuf-js is to stop; it wraps it in an error of its own, so it is noted, not caught. */
class Far extends Error {}

/**
 * From the root in force to the newest one and to the timestamp, by tuf-js: TUF specification 5.3 and 5.4. It is stopped before the
 * snapshot: its models copy an object for every entry of a list, so that a snapshot of 5,000 roles takes 4 seconds and one role of
 * 20,000 targets a minute, in which nothing else is served. From there on we read ourselves, and what tuf-js read we read again:
 * both must find it good.
 * @throws MetadataError for a root that does not follow, StateUnwritable, and what the files throw
 */
export async function walkRoots(chain: RootChain, files: MetadataFiles, staging: Staging): Promise<Walk> {
  const fetcher = new SourceFetcher(chain.current, files);
  const refusal = await staging.within({ 'root.json': chain.current.bytes }, async (metadataDir) => {
    try {
      await new Updater({ metadataDir, metadataBaseUrl: BASE, fetcher, config: LIMITS }).refresh();
      return undefined;
    } catch (error) {
      return fetcher.passedTimestamp ? undefined : refusalOf(error);
    }
  });
  return { roots: fetcher.roots, refusal };
}

export interface Walk {
  /** The roots that follow, each checked against the one before. */
  readonly roots: readonly RootFile[];
  /** Why tuf-js does not take the last of them, or the timestamp. We say it better, but it must not be left unsaid. */
  readonly refusal: MetadataError | undefined;
}

const LIMITS = {
  maxRootRotations: ROOT_ROTATION_LIMIT,
  rootMaxLength: ROOT_LIMIT,
  timestampMaxLength: TIMESTAMP_LIMIT,
};

/** Hands the files of the source to tuf-js, and says first, in our words, what is wrong with a root. */
class SourceFetcher extends BaseFetcher {
  readonly roots: RootFile[] = [];
  passedTimestamp = false;
  readonly #files: MetadataFiles;
  #current: RootFile;

  constructor(current: RootFile, files: MetadataFiles) {
    super();
    this.#current = current;
    this.#files = files;
  }

  /** All that tuf-js asks for. No temporary file, which the default would make. */
  override async downloadBytes(url: string, limit: number): Promise<Buffer> {
    const file = parseName(url);
    if (file.role !== 'root' && file.role !== 'timestamp') {
      this.passedTimestamp = true;
      throw new Far('far enough');
    }
    const bytes = await this.#files.get(file, limit);
    if (bytes === undefined && file.role === 'timestamp') throw noRepository();
    // The one error by which tuf-js knows that there is no newer root.
    if (bytes === undefined) throw new DownloadHTTPError('not found', 404);
    if (file.role === 'root') this.#take(bytes);
    return Buffer.from(bytes);
  }

  override fetch(): Promise<never> {
    return Promise.reject(new RangeError('expected to be asked for bytes, got asked for a stream'));
  }

  #take(bytes: Uint8Array): void {
    const root = readRoot(bytes);
    requireSuccessor(this.#current, root);
    this.roots.push(root);
    this.#current = root;
  }
}

function parseName(url: string): FileName {
  const [, version, role = ''] = /^(?:([0-9]+)\.)?([a-z]+)\.json$/.exec(url.slice(BASE.length)) ?? [];
  return { role, ...(version === undefined ? {} : { version: Number(version) }) };
}

/** @throws whatever is not tuf-js' own refusal */
function refusalOf(error: unknown): MetadataError {
  if (!(error instanceof Error) || OURS.some((kind) => error instanceof kind)) throw error;
  return new MetadataError('METADATA_INVALID', `the metadata is refused by tuf-js: ${error.message}`, { cause: error });
}

const OURS = [MetadataError, MetadataUnavailable, StateUnwritable, RangeError];
