import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { FixedRoot } from './trusted-root-source.ts';

/** The TUF repository of the public good instance. */
const PUBLIC_GOOD = 'https://tuf-repo-cdn.sigstore.dev';

/** The trusted root of Sigstore's public good instance that this version was made with. */
export function seededRoot(): FixedRoot {
  const bytes = Buffer.from(seeds[PUBLIC_GOOD].targets['trusted_root.json'], 'base64');
  return new FixedRoot('public good, as of this version', bytes);
}
