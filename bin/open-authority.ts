import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthorityConfig, NotaryConfig, TufConfig } from '../config/config.ts';
import type { CosignConfig } from '../config/cosign-config.ts';
import type { Log } from '../oci/log.ts';
import type { UpstreamName } from '../oci/reference.ts';
import type { Authority } from '../trust/authority.ts';
import { NotaryAuthority } from '../trust/notary/authority.ts';
import { SigstoreAuthority } from '../trust/sigstore/authority.ts';
import { TufAuthority } from '../trust/tuf/authority.ts';
import { folderSource } from '../trust/tuf/folder-source.ts';
import { httpSource } from '../trust/tuf/http-source.ts';
import { imageSource } from '../trust/tuf/image-source.ts';
import type { MetadataSource } from '../trust/tuf/source.ts';
import { MetadataClient } from '../upstream/metadata-client.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import { cosignPolicy, needsRoot } from './cosign-policy.ts';
import { fetchThrough, imagesThrough, rootsEndingIn403 } from './metadata-fetch.ts';
import type { Opened } from './open-gateway.ts';
import { credentialsOf } from './read-credentials.ts';
import { sourcesThrough } from './signature-source.ts';
import type { TrustedRoots } from './trusted-roots.ts';

export interface AuthoritySurroundings {
  /** Where its state is kept. */
  readonly folder: string;
  /** The file that keeps the versions seen, for an authority that keeps them apart from its state. */
  readonly floors: string;
  /** The registries that are configured. */
  readonly registries: ReadonlyMap<UpstreamName, RegistryClient>;
  readonly roots: TrustedRoots;
  readonly readOnly: boolean;
  readonly log: Log;
  readonly now: () => Date;
}

/** Where an authority of this name keeps what it must not forget. */
export function placesOf(data: string, name: string): Pick<AuthoritySurroundings, 'folder' | 'floors'> {
  const file = encodeURIComponent(name);
  return { folder: join(data, 'trust', file), floors: join(data, 'floors', file) };
}

/** One line an authority kind. */
export function openAuthority(config: AuthorityConfig, around: AuthoritySurroundings): Promise<Opened<Authority>> {
  switch (config.kind) {
    case 'notary':
      return openNotary(config, around);
    case 'tuf':
      return openTuf(config, around);
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

async function openTuf(config: TufConfig, around: AuthoritySurroundings): Promise<Opened<Authority>> {
  const { name, target, roles, refresh } = config;
  const root = await readFile(config.root);
  const source = await openMetadata(config, around);
  const part = new TufAuthority({ ...around, name, source: source.part, root, target, roles, refresh });
  const close = async () => {
    await part.close();
    await source.close();
  };
  return { part, close };
}

async function openMetadata(
  { metadata, ca, credentials }: TufConfig,
  { registries, log, now }: AuthoritySurroundings,
): Promise<Opened<MetadataSource>> {
  const close = async () => undefined;
  if (metadata.kind === 'folder') return { part: folderSource(metadata.path), close };
  if (metadata.kind === 'image') {
    const { upstream, repository, tag } = metadata;
    const client = registries.get(upstream);
    if (client === undefined) throw new RangeError(`expected an upstream ${upstream}, got none`);
    return {
      part: imageSource(`oci://${upstream}/${repository}:${tag}`, imagesThrough(client, repository), tag),
      close,
    };
  }
  const pem = ca === undefined ? {} : { ca: await readFile(ca, 'utf8') };
  const client = new MetadataClient({ url: metadata.url, ...pem, credentials: credentialsOf(credentials), log, now });
  return { part: httpSource(metadata.url, fetchThrough(rootsEndingIn403(client))), close: async () => client.close() };
}

async function openCosign(
  config: CosignConfig,
  { registries, roots, log }: AuthoritySurroundings,
): Promise<Opened<Authority>> {
  const policy = await cosignPolicy(config);
  const root = needsRoot(policy) ? await roots.of(config.trustRoot) : undefined;
  const part = new SigstoreAuthority({
    name: config.name,
    policy,
    root,
    rootMaxAge: config.trustRootMaxAge,
    signatures: config.repository,
    attestationManifests: config.attestationManifests,
    refresh: config.recheck,
    sources: sourcesThrough(registries),
    log,
  });
  return { part, close: () => part.close() };
}
