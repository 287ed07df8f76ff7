import type { Digest } from '../../oci/digest.ts';
import type { Reference, RepositoryName, UpstreamName } from '../../oci/reference.ts';

/** Bytes as a registry served them; nothing about them is believed yet. */
export interface Served {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/**
 * What is needed of a registry to find signatures; `upstream/` happens to fit it. `undefined` is the registry's answer
 * that there is no such thing. Bodies are bounded: 4 MiB for documents, exactly `size` for blobs.
 *
 * All throw `SourceUnavailable` when the registry could not be asked (network, TLS, time limit, 401, 403, 429, 5xx): an
 * outage must never look like an unsigned image. They throw `SourceTooLarge` for a body past its bound.
 */
export interface SignatureSource {
  manifest(repository: RepositoryName, reference: Reference, signal: AbortSignal): Promise<Served | undefined>;
  blob(
    repository: RepositoryName,
    blob: { readonly digest: Digest; readonly size: number },
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** `undefined`: the registry has no referrers API (404), so that the fallback tag is to be read. */
  referrers(repository: RepositoryName, subject: Digest, signal: AbortSignal): Promise<Served | undefined>;
}

/** The source for an upstream's repositories; undefined where no such upstream is configured. */
export type SignatureSources = (upstream: UpstreamName) => SignatureSource | undefined;

export class SourceUnavailable extends Error {
  override readonly name = 'SourceUnavailable';
  /** Seconds the registry asked us to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly retryAfter?: number | undefined }) {
    super(message, options);
    this.retryAfter = options?.retryAfter;
  }
}

export class SourceTooLarge extends Error {
  override readonly name = 'SourceTooLarge';
}
