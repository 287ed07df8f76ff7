import type { Readable } from 'node:stream';
import type { Admissions } from '../cache/admissions.ts';
import { FillError } from '../cache/blob-fill.ts';
import type { BlobStore } from '../cache/blob-store.ts';
import { checked } from '../cache/checked-stream.ts';
import type { PullWindow } from '../cache/pull-window.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { digestReference, type ImageName, imageText } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { coversRepository, type Rule } from '../trust/rule.ts';
import { type Denied, refused } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { type Attempt, attempted, better, settled } from './attempt.ts';
import { DeniedError } from './denial.ts';
import { firstSign } from './first-sign.ts';
import { childOf } from './known-ways.ts';
import type { ByteRange } from './range.ts';
import { within } from './within.ts';
import type { Upstreams } from './upstreams.ts';
import type { Search } from './search.ts';
import type { Verdicts } from './verdicts.ts';

/** A blob that may be served: `size` in bytes is what the admitted manifest says. */
export interface AdmittedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** A body on its way; `range` is unset when the whole blob is sent although a part was asked for. */
export interface BlobBody {
  readonly stream: Readable;
  readonly range: ByteRange | undefined;
}

/** How long a client of a mirror waits for the whole of a blob; well below the time after which an idle connection is cut. Milliseconds. */
const WHOLE_TIME = 10 * 60_000;

/** The story of `GET /v2/<name>/blobs/<digest>`. */
export class BlobPulls {
  readonly #rules: readonly Rule[];
  readonly #verdicts: Verdicts;
  readonly #search: Search;
  readonly #admissions: Admissions;
  readonly #window: PullWindow;
  readonly #store: BlobStore;
  readonly #upstreams: Upstreams;
  readonly #log: Log;

  constructor(parts: {
    rules: readonly Rule[];
    verdicts: Verdicts;
    search: Search;
    admissions: Admissions;
    window: PullWindow;
    store: BlobStore;
    upstreams: Upstreams;
    log: Log;
  }) {
    this.#rules = parts.rules;
    this.#verdicts = parts.verdicts;
    this.#search = parts.search;
    this.#admissions = parts.admissions;
    this.#window = parts.window;
    this.#store = parts.store;
    this.#upstreams = parts.upstreams;
    this.#log = parts.log;
  }

  /**
   * Whether a manifest that is admitted for this very repository lists the blob. A blob's being on disk says nothing: it may
   * have come with another repository's image.
   * @throws DeniedError; UpstreamError and RegistryError where judging again needs the upstream's word
   */
  async admit(name: ImageName, digest: Digest): Promise<AdmittedBlob> {
    const holders = this.#admissions.holdersOf(name, digest);
    const open = holders.find((holder) => this.#window.isOpen(name, holder.parent));
    if (open !== undefined) return { digest, size: open.size };
    if (!coversRepository(this.#rules, name)) {
      throw denied(name, digest, refused('NO_RULE', 'no policy rule covers the repository'));
    }
    const verdict = settled(
      await this.#search.lastly('blob', name, digest, (afresh) => this.#judgeHolders(name, digest, afresh)),
    );
    if (verdict.outcome !== 'admitted') throw denied(name, digest, verdict);
    if (verdict.size === undefined) throw new RangeError('expected the size of a listed blob, got none');
    return { digest, size: verdict.size };
  }

  /** @throws DeniedError CONTENT_MISMATCH; RegistryError BLOB_UNKNOWN; UpstreamError: all before the first byte */
  async body(name: ImageName, blob: AdmittedBlob, range: ByteRange | undefined): Promise<BlobBody> {
    const stored = await this.#store.open(blob.digest);
    if (stored !== undefined) {
      if (stored.size === blob.size) return { stream: stored.stream(range), range };
      await stored.close();
      throw wrongSize(name, blob, stored.size);
    }
    try {
      const fill = this.#store.fill(blob.digest, blob.size, (offset) => this.#source(name, blob, offset));
      return { stream: await firstSign(fill.follow(range)), range };
    } catch (error) {
      return this.#afterFailedFill(name, blob, error);
    }
  }

  /**
   * Waits until the whole blob is here and checked, so that nothing can go wrong with it after the first byte. A disk that cannot
   * be written leaves it to `body`, which then serves without.
   * @throws as `body`, and UpstreamError when it takes too long; the fill goes on for who asks again
   */
  async fetchWhole(name: ImageName, blob: AdmittedBlob): Promise<void> {
    const stored = await this.#store.open(blob.digest);
    await stored?.close();
    if (stored !== undefined && stored.size !== blob.size) throw wrongSize(name, blob, stored.size);
    if (stored !== undefined) return;
    const fill = this.#store.fill(blob.digest, blob.size, (offset) => this.#source(name, blob, offset));
    const late = () => new UpstreamError('timed-out', `expected ${blob.digest} within ${WHOLE_TIME / 60_000} minutes`);
    try {
      await within(fill.done, WHOLE_TIME, late);
    } catch (error) {
      if (!(error instanceof FillError && error.kind === 'disk')) throw failureOf(error, name, blob);
    }
  }

  /** The verdict that a manifest which lists the blob gives it. */
  async #judgeHolders(name: ImageName, digest: Digest, afresh: boolean): Promise<Attempt> {
    let best: Attempt | undefined;
    for (const { parent, size } of this.#admissions.holdersOf(name, digest)) {
      const judging = afresh ? this.#verdicts.afresh(name, parent) : this.#verdicts.of(name, digestReference(parent));
      const attempt = await attempted(judging);
      const listed = 'verdict' in attempt ? { verdict: childOf(attempt.verdict, digest, size) } : attempt;
      if ('verdict' in listed && listed.verdict.outcome === 'admitted') return listed;
      best = better(best, listed);
    }
    return best ?? { verdict: refused('NOT_ADMITTED', 'no admitted manifest of this repository lists this content') };
  }

  async #source(name: ImageName, blob: AdmittedBlob, offset: number): Promise<Readable> {
    const upstream = this.#upstreams.of(name);
    const stream = await upstream.blob(name.repository, blob.digest, { offset, size: blob.size });
    if (stream === undefined) {
      throw new RegistryError(
        'BLOB_UNKNOWN',
        `${imageText(name, digestReference(blob.digest))} is unknown to the upstream`,
      );
    }
    return stream;
  }

  /** A disk that cannot be written costs the cache, not the pull: the body is checked on its way, held back at its last byte. */
  async #afterFailedFill(name: ImageName, blob: AdmittedBlob, error: unknown): Promise<BlobBody> {
    if (!(error instanceof FillError && error.kind === 'disk')) throw failureOf(error, name, blob);
    this.#log.warn({ digest: blob.digest, error: error.message }, 'blob not kept on disk; served without');
    const source = await this.#source(name, blob, 0);
    return { stream: await firstSign(checked(source, blob)), range: undefined };
  }
}

/** What a failed fill means for who asked. */
function failureOf(error: unknown, name: ImageName, blob: AdmittedBlob): unknown {
  if (!(error instanceof FillError)) return error;
  if (error.kind === 'mismatch') return denied(name, blob.digest, refused('CONTENT_MISMATCH', error.message));
  return error.cause ?? error;
}

function denied(name: ImageName, digest: Digest, verdict: Denied): DeniedError {
  return new DeniedError(imageText(name, digestReference(digest)), verdict);
}

function wrongSize(name: ImageName, { digest, size }: AdmittedBlob, actual: number): DeniedError {
  const message = `the blob has ${actual} bytes where the manifest lists ${size}`;
  return denied(name, digest, refused('CONTENT_MISMATCH', message));
}
