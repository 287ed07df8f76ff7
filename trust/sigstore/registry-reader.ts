import { type Digest, matchesDigest } from '../../oci/digest.ts';
import { digestReference, parseTag, type RepositoryName, tagReference } from '../../oci/reference.ts';
import { DOCUMENT_LIMIT, JUDGE_BUDGET_MS, TOTAL_LIMIT } from './limits.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';
import { readSignatureManifest, type SignatureManifest } from './signature-manifest.ts';
import { type SignatureSource, SourceTooLarge, SourceUnavailable } from './signature-source.ts';

/** Reads one repository for one judgement, within the time and the bytes that one may cost; compares every digest. */
export class RegistryReader {
  readonly #source: SignatureSource;
  readonly #repository: RepositoryName;
  readonly #signal: AbortSignal;
  #bytes = 0;

  constructor(source: SignatureSource, repository: RepositoryName, budget = JUDGE_BUDGET_MS) {
    this.#source = source;
    this.#repository = repository;
    this.#signal = AbortSignal.timeout(budget);
  }

  /** @throws SourceUnavailable; SigstoreError */
  async tagged(tag: string): Promise<SignatureManifest | undefined> {
    const reference = tagReference(parseTag(tag));
    const served = await this.#bounded(() => this.#source.manifest(this.#repository, reference, this.#signal));
    return served && readSignatureManifest(served, undefined);
  }

  /** @throws SourceUnavailable; SigstoreError */
  async manifest(digest: Digest): Promise<SignatureManifest | undefined> {
    const reference = digestReference(digest);
    const served = await this.#bounded(() => this.#source.manifest(this.#repository, reference, this.#signal));
    return served && readSignatureManifest(served, digest);
  }

  /**
   * The list over the API, or, only where the registry says that it has none, from the fallback tag (distribution-spec,
   * "Referrers Tag Schema"). A registry that is throttled or fails has said nothing about referrers.
   * @throws SourceUnavailable; SigstoreError
   */
  async referrers(
    subject: Digest,
  ): Promise<{ readonly via: 'api' | 'tag'; readonly list: SignatureManifest } | undefined> {
    const served = await this.#bounded(() => this.#source.referrers(this.#repository, subject, this.#signal));
    if (served !== undefined) return { via: 'api', list: readSignatureManifest(served, undefined) };
    const list = await this.tagged(tagOf(subject));
    return list && { via: 'tag', list };
  }

  /** @throws SourceUnavailable; SigstoreError */
  async blob({ digest, size }: { readonly digest: Digest; readonly size: number }): Promise<Uint8Array> {
    if (size > DOCUMENT_LIMIT) throw malformed(`the blob ${digest}`, `at most ${DOCUMENT_LIMIT} bytes`, `${size}`);
    this.#bytes += size;
    if (this.#bytes > TOTAL_LIMIT) {
      throw malformed('the signatures of one image', `at most ${TOTAL_LIMIT} bytes together`, 'more');
    }
    const bytes = await this.#bounded(() => this.#source.blob(this.#repository, { digest, size }, this.#signal));
    if (bytes === undefined) throw new SigstoreError('METADATA_MISMATCH', `the registry has no blob ${digest}`);
    if (!matchesDigest(bytes, digest)) {
      throw new SigstoreError('METADATA_MISMATCH', `the registry serves other bytes for the blob ${digest}`);
    }
    return bytes;
  }

  async #bounded<Value>(ask: () => Promise<Value>): Promise<Value> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SourceTooLarge) throw new SigstoreError('METADATA_INVALID', error.message, { cause: error });
      if (this.#signal.aborted) throw new SourceUnavailable('no complete answer in time', { cause: error });
      throw error;
    }
  }
}

/** `sha256-<hex>`, which signatures of the digest are kept under, with an ending or, as a list of referrers, without. */
export function tagOf(digest: Digest, ending: '' | '.sig' | '.att' = ''): string {
  return `${digest.replace(':', '-')}${ending}`.slice(0, 128);
}
