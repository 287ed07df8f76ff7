import type { ImageName, UpstreamName } from '../oci/reference.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';

/** What the gateway asks of an upstream registry. */
export type Upstream = Pick<RegistryClient, 'resolve' | 'manifest' | 'blob' | 'tags' | 'referrers'>;

/** The configured upstreams, by name. */
export class Upstreams {
  readonly #clients: ReadonlyMap<UpstreamName, Upstream>;

  constructor(clients: ReadonlyMap<UpstreamName, Upstream>) {
    this.#clients = clients;
  }

  of(name: ImageName): Upstream {
    const client = this.#clients.get(name.upstream);
    if (client === undefined) throw new Error(`no client for upstream ${name.upstream}`);
    return client;
  }
}
