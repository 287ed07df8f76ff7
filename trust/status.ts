import type { Reason } from './reason.ts';

/** How one authority's trust stands, for `docklock status`, `/readyz` and whoever looks after it. */
export interface AuthorityStatus {
  /** The name the configuration gives it. */
  readonly name: string;
  /** Its `type` in the configuration. */
  readonly kind: string;
  /** One entry for each body of metadata in use: a GUN, a TUF repository, a trusted root. */
  readonly trust: readonly TrustStatus[];
}

/** How one body of trust metadata stands. */
export interface TrustStatus {
  /** What it is: a GUN, or the address of the metadata. */
  readonly of: string;
  /** When it was last fetched and found good; undefined before the first time. */
  readonly refreshedAt: Date | undefined;
  /** Why the last refresh failed; undefined when it did not. */
  readonly failure: RefreshTrouble | undefined;
  /** Versions trusted now, by role. */
  readonly versions: Readonly<Record<string, number>>;
  /** Everything in it that ends, in no order. */
  readonly expiries: readonly Expiry[];
}

export interface RefreshTrouble {
  readonly reason: Reason;
  /** One sentence for a person. */
  readonly message: string;
  readonly at: Date;
}

/** Something that ends by itself, unless its owner renews it. */
export interface Expiry {
  /** Such as `timestamp`, `targets/releases`, `certificate of root key 1a2b…`. */
  readonly what: string;
  readonly at: Date;
  /** Without it: `online` for the roles `timestamp` and `snapshot`, whose keys TUF keeps on a server, else `by-hand`. */
  readonly renewal?: Renewal;
  /** When this version was first seen, or began. How long `online` ones live is measured from it. */
  readonly since?: Date;
}

/**
 * Who renews it. `by-hand`: a person, who needs days. `online`: a server, some time before it ends. `on-demand`: a server,
 * when it is asked after it has ended, so that nearing the end says nothing.
 */
export type Renewal = 'by-hand' | 'online' | 'on-demand';
