/** When something that trust rests on stops being good: `what` names it for a person (`timestamp`, `root key 3f…`). */
export interface Expiry {
  readonly what: string;
  readonly at: Date;
}

/** One repository of signed metadata, as an authority last saw it. */
export interface TrustStatus {
  /** What the metadata is about or where it is: a GUN, an address. */
  readonly repository: string;
  /** Last time its metadata was fetched and found good. */
  readonly refreshedAt?: Date;
  /** Why the newest attempt failed, and when; absent once one succeeds again. */
  readonly failure?: { readonly at: Date; readonly reason: string; readonly message: string };
  /** Version of each role in use, by role name. */
  readonly versions: Readonly<Record<string, number>>;
  readonly expiries: readonly Expiry[];
}
