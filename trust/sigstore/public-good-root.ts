import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import type { Seed } from './tuf-trusted-root.ts';

/** The TUF repository of Sigstore's public good instance. */
export const PUBLIC_GOOD = 'https://tuf-repo-cdn.sigstore.dev';

/** The name of the trusted root in it, and in all that are made like it. */
export const TRUSTED_ROOT_TARGET = 'trusted_root.json';

/** The root.json that trust in the public good instance begins at: version 16. */
export function publicGoodPin(): Uint8Array {
  return Buffer.from(seeds[PUBLIC_GOOD]['root.json'], 'base64');
}

/**
 * The trusted root of the public good instance that this version was made with, as of the day on which @sigstore/tuf 5.0.1 was published
 * with it. A test holds the day and the bytes together: with another version of the package comes another day.
 */
export function publicGoodSeed(): Seed {
  const bytes = Buffer.from(seeds[PUBLIC_GOOD].targets[TRUSTED_ROOT_TARGET], 'base64');
  return { bytes, asOf: new Date('2026-11-05T00:00:00Z') };
}
