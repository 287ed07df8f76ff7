import type { Log } from '../oci/log.ts';
import type { Credentials } from './credentials.ts';
import { HttpSession } from './http-session.ts';
import type { Limits } from './limits.ts';
import type { NetworkOptions } from './network.ts';
import type { Pace } from './pace.ts';
import { UpstreamError } from './upstream-error.ts';

export interface MetadataClientOptions extends NetworkOptions {
  readonly url: string;
  readonly credentials: Credentials;
  readonly tokenHosts?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly log: Log;
  readonly now: () => Date;
  readonly pace?: Pace;
}

export type Metadata = { readonly kind: 'found'; readonly bytes: Uint8Array } | { readonly kind: 'missing' };

/** Notary's URLs, `/v2/<GUN>/_trust/tuf/...`: what a token must be good for is the GUN, registry host included. */
const GUN = /^\/v2\/(.+)\/_trust\/tuf\//;

/** Bounded GETs of a trust server, with the same guards as a registry's. */
export class MetadataClient {
  readonly #session: HttpSession;

  constructor(options: MetadataClientOptions) {
    this.#session = new HttpSession({ ...options, name: new URL(options.url).host });
  }

  /**
   * @param url absolute, below the configured URL
   * @param limit most bytes the body may have
   * @throws BodyTooLarge for a longer one; UpstreamError, forbidden-target for a URL elsewhere; the signal's reason
   */
  async get(url: string, limit: number, signal?: AbortSignal): Promise<Metadata> {
    const target = this.#below(url);
    const gun = GUN.exec(target.pathname.slice(this.#prefix().length - 1))?.[1];
    const scope = gun === undefined ? undefined : `repository:${gun}:pull`;
    const found = await this.#session.document({ url: target, scope, signal }, limit);
    return found === undefined ? { kind: 'missing' } : { kind: 'found', bytes: found.bytes };
  }

  /** Ends what is under way. */
  close(): void {
    this.#session.close();
  }

  /** Names inside metadata become parts of URLs: none may lead to another server, or up and out of this one's folder. */
  #below(text: string): URL {
    const url = URL.parse(text);
    const { origin } = this.#session.base;
    const inside = url !== null && url.origin === origin && url.pathname.startsWith(this.#prefix());
    if (!inside || url.username !== '' || url.password !== '') {
      throw new UpstreamError('forbidden-target', `expected a URL below ${origin}${this.#prefix()}, got another one`);
    }
    url.hash = '';
    return url;
  }

  #prefix(): string {
    return `${this.#session.base.pathname.replace(/\/+$/, '')}/`;
  }
}
