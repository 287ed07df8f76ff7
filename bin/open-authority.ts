import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthorityConfig, CosignConfig, NotaryConfig, TufConfig } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import { parseTag, type RepositoryName, tagReference, type UpstreamName } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import type { Authority } from '../trust/authority.ts';
import { type MetadataFetch, MetadataTooLarge, MetadataUnavailable } from '../trust/fetch-metadata.ts';
import { NotaryAuthority } from '../trust/notary/authority.ts';
import { SigstoreAuthority } from '../trust/sigstore/authority.ts';
import { TufAuthority } from '../trust/tuf/authority.ts';
import { folderSource } from '../trust/tuf/folder-source.ts';
import { httpSource } from '../trust/tuf/http-source.ts';
import { imageSource, type MetadataImages } from '../trust/tuf/image-source.ts';
import type { MetadataSource } from '../trust/tuf/source.ts';
import { MetadataClient } from '../upstream/metadata-client.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import { BodyTooLarge, UpstreamError } from '../upstream/upstream-error.ts';
import { cosignPolicy, needsRoot, trustedRootOf } from './cosign-policy.ts';
import type { Opened } from './open-gateway.ts';
import { credentialsOf } from './read-credentials.ts';
import { sourcesThrough } from './signature-source.ts';

export interface AuthoritySurroundings {
  /** Where its state is kept. */
  readonly folder: string;
  /** The file that keeps the versions seen, for an authority that keeps them apart from its state. */
  readonly floors: string;
  /** The registries that are configured. */
  readonly registries: ReadonlyMap<UpstreamName, RegistryClient>;
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

/**
 * A bucket whose contents may not be listed answers 403 for a file that is not there. Of all files only the next root is looked for
 * in vain every time, and every TUF client takes 403 for the end of the roots; it says no more than a 404 would.
 */
export function rootsEndingIn403(client: Pick<MetadataClient, 'get'>): Pick<MetadataClient, 'get'> {
  return {
    get: async (url, limit) => {
      try {
        return await client.get(url, limit);
      } catch (error) {
        const isForbidden = error instanceof UpstreamError && error.failure === 'denied' && error.status === 403;
        if (isForbidden && /\/[0-9]+\.root\.json$/.test(url)) return { kind: 'missing' };
        throw error;
      }
    },
  };
}

async function openCosign(
  config: CosignConfig,
  { registries, log }: AuthoritySurroundings,
): Promise<Opened<Authority>> {
  const policy = await cosignPolicy(config);
  const root = needsRoot(policy) ? await trustedRootOf(config) : undefined;
  const part = new SigstoreAuthority({
    name: config.name,
    policy,
    root,
    signatures: config.repository,
    attestationManifests: config.attestationManifests,
    refresh: config.recheck,
    sources: sourcesThrough(registries),
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
        throw metadataError(error);
      }
    },
  };
}

/** The same for metadata that a registry keeps in an image. */
export function imagesThrough(
  client: Pick<RegistryClient, 'manifest' | 'blob'>,
  repository: RepositoryName,
): MetadataImages {
  return {
    manifest: async (text) => {
      try {
        return (await client.manifest(repository, tagReference(parseTag(text))))?.bytes;
      } catch (error) {
        // The name of a role that no tag can have.
        if (error instanceof RegistryError) return undefined;
        throw metadataError(error);
      }
    },
    blob: async (digest, size) => {
      try {
        const stream = await client.blob(repository, digest, { offset: 0, size });
        return stream && Buffer.concat(await stream.toArray());
      } catch (error) {
        throw metadataError(error);
      }
    },
  };
}

function metadataError(error: unknown): unknown {
  if (error instanceof BodyTooLarge) return new MetadataTooLarge(error.message, { cause: error });
  if (!(error instanceof UpstreamError)) return error;
  return new MetadataUnavailable(error.message, { cause: error, retryAfter: error.retryAfter });
}
