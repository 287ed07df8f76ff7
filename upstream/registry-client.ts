import { Readable } from 'node:stream';
import { algorithmOf, type Digest, digestOf, isDigest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { MANIFEST_LIMIT } from '../oci/manifest.ts';
import { MANIFEST_MEDIA_TYPES } from '../oci/media-type.ts';
import { type Reference, type RepositoryName, referenceText, type UpstreamName } from '../oci/reference.ts';
import { type BlobPart, bytesToSkip, rangeHeader } from './blob-answer.ts';
import type { Credentials } from './credentials.ts';
import { type Answered, type Ask, HttpSession } from './http-session.ts';
import type { Limits } from './limits.ts';
import type { NetworkOptions } from './network.ts';
import type { Pace } from './pace.ts';
import { wholeReferrerList } from './referrer-pages.ts';
import { parseTagPage, type TagPage } from './tag-page.ts';
import { UpstreamError } from './upstream-error.ts';

export interface RegistryClientOptions extends NetworkOptions {
  readonly name: UpstreamName;
  readonly url: string;
  readonly credentials: Credentials;
  readonly tokenHosts?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly log: Log;
  readonly now: () => Date;
  readonly pace?: Pace;
}

/** Bytes as they came, under the media type they were served with. Not yet compared with any digest. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const ACCEPT = { accept: MANIFEST_MEDIA_TYPES.join(', ') };
/** 100,000 tags of the longest kind, far beyond any page that was asked for. */
const TAG_PAGE_LIMIT = 8 * 1024 * 1024;
/** Statuses by which old registries say that they do not know HEAD here. */
const NO_HEAD: ReadonlySet<number | undefined> = new Set([400, 405]);
const VERSION_ANSWER_LIMIT = 64 * 1024;

/**
 * The distribution-spec's pull side of one registry. It fetches and believes nothing: digests are compared by whoever
 * asked. Every method throws UpstreamError, or the signal's reason, and answers undefined for what is not there.
 */
export class RegistryClient {
  readonly #session: HttpSession;

  constructor(options: RegistryClientOptions) {
    this.#session = new HttpSession(options);
  }

  /** What the upstream says a reference is, by HEAD; by GET and our own hash where it says nothing. */
  async resolve(
    repository: RepositoryName,
    reference: Reference,
    signal?: AbortSignal,
  ): Promise<{ digest: Digest } | undefined> {
    const answer = await this.#headManifest(repository, reference, signal);
    if (answer === undefined) return undefined;
    const said = answer === 'no HEAD' ? undefined : answer.headers['docker-content-digest'];
    if (typeof said === 'string' && isDigest(said)) return { digest: this.#same(said, reference) };
    const manifest = await this.manifest(repository, reference, signal);
    if (manifest === undefined) return undefined;
    const algorithm = reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256';
    return { digest: this.#same(digestOf(manifest.bytes, algorithm), reference) };
  }

  /** At most MANIFEST_LIMIT bytes. @throws BodyTooLarge */
  async manifest(repository: RepositoryName, reference: Reference, signal?: AbortSignal): Promise<Served | undefined> {
    return this.#served(this.#manifestAsk(repository, reference, signal));
  }

  /**
   * The blob's bytes from `offset` on: exactly `size - offset` of them, or the stream ends with an UpstreamError. It does
   * not try again by itself: call again with the offset that was reached.
   */
  async blob(
    repository: RepositoryName,
    digest: Digest,
    part: BlobPart,
    signal?: AbortSignal,
  ): Promise<Readable | undefined> {
    if (part.offset > 0 && part.offset >= part.size) return Readable.from([]);
    const range = rangeHeader(part);
    const url = this.#session.url(`/v2/${repository}/blobs/${digest}`);
    const opened = await this.#session.stream({
      ...this.#ask(url, repository, signal),
      headers: range === undefined ? {} : { range },
    });
    if (opened === undefined) return undefined;
    try {
      const skip = bytesToSkip(opened.status, opened.headers, part, this.#session.base.host);
      return opened.read({ skip, exactly: part.size - part.offset });
    } catch (error) {
      opened.drop();
      throw error;
    }
  }

  /** One page. `n` tags at most, as far as the upstream heeds it, after `last`. */
  async tags(
    repository: RepositoryName,
    page: { n?: number; last?: string },
    signal?: AbortSignal,
  ): Promise<TagPage | undefined> {
    const query = {
      ...(page.n === undefined ? {} : { n: String(page.n) }),
      ...(page.last === undefined ? {} : { last: page.last }),
    };
    const url = this.#session.url(`/v2/${repository}/tags/list`, query);
    const found = await this.#session.document(this.#ask(url, repository, signal), TAG_PAGE_LIMIT);
    return found && parseTagPage(found.bytes, found.headers.link, this.#session.base.host);
  }

  /**
   * The referrers API's index, of all pages as one; undefined where the registry has none, so that the caller reads the fallback tag. The
   * upstream may have ignored `artifactType`. @throws BodyTooLarge
   */
  async referrers(
    repository: RepositoryName,
    digest: Digest,
    { artifactType }: { artifactType?: string } = {},
    signal?: AbortSignal,
  ): Promise<Served | undefined> {
    const url = this.#session.url(
      `/v2/${repository}/referrers/${digest}`,
      artifactType === undefined ? {} : { artifactType },
    );
    return wholeReferrerList(url, (page, limit) => this.#session.document(this.#ask(page, repository, signal), limit));
  }

  /** Whether there is a registry that lets us in. @throws UpstreamError when not */
  async ping(signal?: AbortSignal): Promise<void> {
    const found = await this.#session.document({ url: this.#session.url('/v2/'), signal }, VERSION_ANSWER_LIMIT);
    if (found !== undefined) return;
    throw new UpstreamError(
      'bad-answer',
      `expected a registry at ${this.#session.base.host}, got status 404 for /v2/`,
      { status: 404 },
    );
  }

  /** Ends what is under way. */
  close(): void {
    this.#session.close();
  }

  async #headManifest(
    repository: RepositoryName,
    reference: Reference,
    signal?: AbortSignal,
  ): Promise<Answered | 'no HEAD' | undefined> {
    try {
      return await this.#session.head(this.#manifestAsk(repository, reference, signal));
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'bad-answer' && NO_HEAD.has(error.status))
        return 'no HEAD';
      throw error;
    }
  }

  async #served(ask: Ask): Promise<Served | undefined> {
    const found = await this.#session.document(ask, MANIFEST_LIMIT);
    return found && { bytes: found.bytes, contentType: found.headers['content-type'] ?? '' };
  }

  /** A digest that resolves to another one is an upstream that lies (CVE-2026-85747), found out before anything is fetched. */
  #same(said: Digest, reference: Reference): Digest {
    if (reference.kind === 'tag' || said === reference.digest) return said;
    throw new UpstreamError('bad-answer', `expected ${reference.digest} from ${this.#session.base.host}, got ${said}`);
  }

  #manifestAsk(repository: RepositoryName, reference: Reference, signal?: AbortSignal): Ask {
    const url = this.#session.url(`/v2/${repository}/manifests/${referenceText(reference)}`);
    return { ...this.#ask(url, repository, signal), headers: ACCEPT };
  }

  #ask(url: URL, repository: RepositoryName, signal?: AbortSignal): Ask {
    return { url, scope: `repository:${repository}:pull`, signal };
  }
}
