/**
 * What an authority needs of the network: one bounded GET. `upstream/` happens to fit it, with
 * the credentials, CA, redirect guards, time limits and retries that were configured for that server.
 */
export interface MetadataFetch {
  /**
   * @param url absolute, on the configured server
   * @param limit most bytes the body may have; a longer body, or a longer Content-Length, throws `MetadataTooLarge`
   * @throws MetadataUnavailable when the server could not be asked: network, TLS, time limit, 401, 403, 429, 5xx
   */
  get(url: string, limit: number): Promise<MetadataAnswer>;
}

/** `missing`: the server answered 404 (or 410), which is an answer, not an outage. */
export type MetadataAnswer = { readonly kind: 'found'; readonly bytes: Uint8Array } | { readonly kind: 'missing' };

export class MetadataUnavailable extends Error {
  override readonly name = 'MetadataUnavailable';
  /** Seconds the server asked us to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly retryAfter?: number | undefined }) {
    super(message, options);
    this.retryAfter = options?.retryAfter;
  }
}

export class MetadataTooLarge extends Error {
  override readonly name = 'MetadataTooLarge';
}
