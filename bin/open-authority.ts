import { readFile } from 'node:fs/promises';
import type { AuthorityConfig, CosignConfig, NotaryConfig } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import type { Authority } from '../trust/authority.ts';
import { type MetadataFetch, MetadataTooLarge, MetadataUnavailable } from '../trust/fetch-metadata.ts';
import { NotaryAuthority } from '../trust/notary/authority.ts';
import { SigstoreAuthority } from '../trust/sigstore/authority.ts';
import type { SignatureSources } from '../trust/sigstore/signature-source.ts';
import { MetadataClient } from '../upstream/metadata-client.ts';
import { BodyTooLarge, UpstreamError } from '../upstream/upstream-error.ts';
import { cosignPolicy, needsRoot, trustedRootOf } from './cosign-policy.ts';
import type { Opened } from './open-gateway.ts';
import { credentialsOf } from './read-credentials.ts';

export interface AuthoritySurroundings {
  /** Where its state is kept. */
  readonly folder: string;
  readonly readOnly: boolean;
  readonly log: Log;
  readonly now: () => Date;
  /** The configured upstreams, for authorities whose signatures are kept in registries. */
  readonly sources: SignatureSources;
}

/** One line an authority kind. */
export function openAuthority(config: AuthorityConfig, around: AuthoritySurroundings): Promise<Opened<Authority>> {
  switch (config.kind) {
    case 'notary':
      return openNotary(config, around);
    case 'cosign':
      return openCosign(config, around);
  }
}

async function openNotary(config: NotaryConfig, around: AuthoritySurroundings): Promise<Opened<Authority>> {
  const { name, server, gun, requireReleases, signers, refresh } = config;
  const client = new MetadataClient({
    url: server,
    ...(config.ca === undefined ? {} : { ca: await readFile(config.ca, 'utf8') }),
    credentials: credentialsOf(config.credentials),
    log: around.log,
    now: around.now,
  });
  const pin =
    config.pin.kind === 'ca' ? { kind: 'ca' as const, pem: await readFile(config.pin.path, 'utf8') } : config.pin;
  const part = new NotaryAuthority({
    name,
    server,
    gun,
    pin,
    requireReleases,
    signers,
    refresh,
    ...around,
    fetch: fetchThrough(client),
  });
  const close = async () => {
    await part.close();
    client.close();
  };
  return { part, close };
}

async function openCosign(config: CosignConfig, { sources, log }: AuthoritySurroundings): Promise<Opened<Authority>> {
  const policy = await cosignPolicy(config);
  const root = needsRoot(policy) ? await trustedRootOf(config) : undefined;
  const part = new SigstoreAuthority({
    name: config.name,
    policy,
    root,
    signatures: config.repository,
    attestationManifests: config.attestationManifests,
    refresh: config.recheck,
    sources,
    log,
  });
  return { part, close: () => part.close() };
}

/** `trust` and `upstream` do not know each other: here one's client becomes the other's need. */
export function fetchThrough(client: Pick<MetadataClient, 'get'>): MetadataFetch {
  return {
    get: async (url, limit) => {
      try {
        return await client.get(url, limit);
      } catch (error) {
        if (error instanceof BodyTooLarge) throw new MetadataTooLarge(error.message, { cause: error });
        if (!(error instanceof UpstreamError)) throw error;
        throw new MetadataUnavailable(error.message, { cause: error, retryAfter: error.retryAfter });
      }
    },
  };
}
