import { sourcesThrough } from '../../bin/signature-source.ts';
import { digestReference, type ImageName, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Question } from '../../trust/authority.ts';
import { SigstoreAuthority, type SigstoreAuthorityOptions } from '../../trust/sigstore/authority.ts';
import type { CosignPolicy } from '../../trust/sigstore/policy.ts';
import { FixedRoot } from '../../trust/sigstore/trusted-root-source.ts';
import { REAL_PACE } from '../../upstream/pace.ts';
import { RegistryClient } from '../../upstream/registry-client.ts';
import type { Closing } from './fake-registry.ts';
import { RecordingLog } from './recording-log.ts';
import type { SigstorePublisher } from './sigstore-publisher.ts';

export const APP: ImageName = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };

export const HOUR = 3_600_000;

/** An authority over real HTTP in front of a fake registry, which is the upstream `corp`. */
export function cosignAuthority(
  t: Closing,
  registry: { readonly url: string },
  publisher: SigstorePublisher,
  policy: CosignPolicy,
  options: Partial<SigstoreAuthorityOptions> = {},
): SigstoreAuthority {
  const log = new RecordingLog();
  const client = new RegistryClient({
    name: APP.upstream,
    url: registry.url,
    credentials: { kind: 'anonymous' },
    log,
    now: () => publisher.now,
    pace: { ...REAL_PACE, wait: async () => undefined },
  });
  const authority = new SigstoreAuthority({
    name: 'release',
    policy,
    root: new FixedRoot('test', publisher.trustedRoot()),
    rootMaxAge: 90 * 24 * HOUR,
    signatures: undefined,
    attestationManifests: false,
    refresh: HOUR,
    sources: sourcesThrough(new Map([[APP.upstream, client]])),
    log,
    ...options,
  });
  t.after(async () => {
    await authority.close();
    client.close();
  });
  return authority;
}

export function about(digest: Digest, now: Date, maxAge = 72 * HOUR): Question {
  return { name: APP, reference: digestReference(digest), now, maxAge };
}
