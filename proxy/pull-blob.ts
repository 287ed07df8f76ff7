import type { Readable } from 'node:stream';
import type { Admissions, Listing } from '../cache/admissions.ts';
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
import { type Attempt, attempted, better, settled } from './attempt.ts';
import { DeniedError } from './denial.ts';
import { firstSign } from './first-sign.ts';
import type { ByteRange } from './range.ts';
import type { Upstreams } from './upstreams.ts';
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

/** The story of `GET /v2/<name>/blobs/<digest>`. */
export class BlobPulls {
  readonly #rules: readonly Rule[];
  readonly #verdicts: Verdicts;
  readonly #admissions: Admissions;
  readonly #window: PullWindow;
  readonly #store: BlobStore;
  readonly #upstreams: Upstreams;
  readonly #log: Log;

  constructor(parts: {
    rules: readonly Rule[];
    verdicts: Verdicts;
    admissions: Admissions;
    window: PullWindow;
    store: BlobStore;
    upstreams: Upstreams;
    log: Log;
  }) {
    this.#rules = parts.rules;
    this.#verdicts = parts.verdicts;
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
    const judged = await this.#judgeAgain(name, digest, holders);
    if ('outcome' in judged) throw denied(name, digest, judged);
    return judged;
  }

  /** @throws DeniedError CONTENT_MISMATCH; RegistryError BLOB_UNKNOWN; UpstreamError: all before the first byte */
  async body(name: ImageName, blob: AdmittedBlob, range: ByteRange | undefined): Promise<BlobBody> {
    const stored = await this.#store.open(blob.digest);
    if (stored !== undefined) {
      if (stored.size === blob.size) return { stream: stored.stream(range), range };
      await stored.close();
      throw denied(name, blob.digest, refused('CONTENT_MISMATCH', sizes(blob.size, stored.size)));
    }
    try {
      const fill = this.#store.fill(blob.digest, blob.size, (offset) => this.#source(name, blob, offset));
      return { stream: await firstSign(fill.follow(range)), range };
    } catch (error) {
      return this.#afterFailedFill(name, blob, error);
    }
  }

  async #judgeAgain(name: ImageName, digest: Digest, holders: readonly Listing[]): Promise<AdmittedBlob | Denied> {
    if (!coversRepository(this.#rules, name)) return refused('NO_RULE', 'no policy rule covers the repository');
    let best: Attempt | undefined;
    for (const { parent, size } of holders) {
      const attempt = await attempted(this.#verdicts.of(name, digestReference(parent)));
      if ('verdict' in attempt && attempt.verdict.outcome === 'admitted') return { digest, size };
      best = better(best, attempt);
    }
    const verdict = best === undefined ? undefined : settled(best);
    if (verdict !== undefined && verdict.outcome !== 'admitted') return verdict;
    return refused('NOT_ADMITTED', 'no admitted manifest of this repository lists this content');
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
    if (!(error instanceof FillError)) throw error;
    if (error.kind === 'mismatch') throw denied(name, blob.digest, refused('CONTENT_MISMATCH', error.message));
    if (error.kind !== 'disk') throw error.cause ?? error;
    this.#log.warn({ digest: blob.digest, error: error.message }, 'blob not kept on disk; served without');
    const source = await this.#source(name, blob, 0);
    return { stream: await firstSign(checked(source, blob)), range: undefined };
  }
}

function denied(name: ImageName, digest: Digest, verdict: Denied): DeniedError {
  return new DeniedError(imageText(name, digestReference(digest)), verdict);
}

function sizes(listed: number, actual: number): string {
  return `the blob has ${actual} bytes where the manifest lists ${listed}`;
}
