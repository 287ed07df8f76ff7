/** How long and how slow an upstream may be. Milliseconds, and bytes a second. */
export interface Limits {
  /** For each of looking up the name, TCP and TLS. */
  readonly connect: number;
  /** From the request sent to all headers received. */
  readonly firstByte: number;
  /** The longest silence within a body while we are ready to read. */
  readonly idle: number;
  /** For a whole bounded body: manifest, token, tag list, metadata. Blobs have no such end, only `minRate`. */
  readonly document: number;
  /** Slow-drip: a body that came slower than this, averaged over `rateWindow` of our waiting, is given up. */
  readonly minRate: number;
  readonly rateWindow: number;
}

export const DEFAULT_LIMITS: Limits = {
  connect: 10_000,
  firstByte: 30_000,
  idle: 30_000,
  document: 60_000,
  minRate: 1024,
  rateWindow: 60_000,
};
