import { type Digest, digestOf, matchesDigest } from '../oci/digest.ts';
import { type Descriptor, type Manifest, parseManifest } from '../oci/manifest.ts';
import { isIndexMediaType } from '../oci/media-type.ts';
import { type ImageName, imageText, type Reference } from '../oci/reference.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import type { Target } from './metadata.ts';
import { PublishError } from './publish-error.ts';

export type Upstream = Pick<RegistryClient, 'manifest' | 'blob'>;

/** An image as the upstream has it now, read by its own bytes. */
export interface FoundImage {
  /** `docker.io/library/nginx:1.27` or `docker.io/library/nginx@sha256:…`. */
  readonly path: string;
  readonly target: Target;
  /** `linux/amd64`, `linux/arm64/v8`; those of an index without its attestations. */
  readonly platforms: readonly string[];
  /** Bytes that one platform takes to pull: config and layers. Undefined where it could not be read. */
  readonly size: number | undefined;
  /** When it says it was built: its builder's word alone, for a person to look at. ISO 8601. */
  readonly created: string | undefined;
}

/** A config is some kilobytes; one beyond this is not read for a date. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

/** The path of an image in TUF metadata. @throws PublishError for a digest other than sha256 */
export function targetPath(name: ImageName, reference: Reference): string {
  if (reference.kind === 'digest' && !reference.digest.startsWith('sha256:')) {
    throw new PublishError(`${imageText(name, reference)}: expected a sha256 digest, which TUF metadata can hold`);
  }
  return imageText(name, reference);
}

/**
 * Fetches the manifest or index and computes its hash and length from the bytes that came: the upstream's word for a digest is
 * not taken. @throws PublishError when it is not there or not what was asked for; UpstreamError; RegistryError
 */
export async function findImage(upstream: Upstream, name: ImageName, reference: Reference): Promise<FoundImage> {
  const path = targetPath(name, reference);
  const served = await upstream.manifest(name.repository, reference);
  if (served === undefined) throw new PublishError(`${path}: the upstream has no such image`);
  const manifest = parseManifest(served.bytes, served.contentType);
  if (reference.kind === 'digest' && !matchesDigest(served.bytes, reference.digest)) {
    throw new PublishError(`${path}: the upstream served other bytes, of ${digestOf(served.bytes)}`);
  }
  const one = await onePlatform(upstream, name, manifest);
  const config = one === undefined ? undefined : await readConfig(upstream, name, one);
  const platforms = isIndexMediaType(manifest.mediaType)
    ? manifest.manifests.filter(isRunnable).map(({ platform }) => platformText(platform))
    : [platformText(config)];
  return {
    path,
    target: {
      length: served.bytes.byteLength,
      digest: manifest.digest,
      custom: { mediaType: manifest.mediaType, platforms: [...new Set(platforms)] },
    },
    platforms: [...new Set(platforms)],
    size: one?.blobs.reduce((sum, { size }) => sum + size, 0),
    created: config?.created,
  };
}

/** The image itself, or of an index the first one that runs. */
async function onePlatform(upstream: Upstream, name: ImageName, manifest: Manifest): Promise<Manifest | undefined> {
  if (!isIndexMediaType(manifest.mediaType)) return manifest;
  const first = manifest.manifests.find(isRunnable);
  if (first === undefined) return undefined;
  const served = await upstream.manifest(name.repository, { kind: 'digest', digest: first.digest });
  if (served === undefined || !matchesDigest(served.bytes, first.digest)) return undefined;
  return parseManifest(served.bytes, served.contentType);
}

type Platform = NonNullable<Descriptor['platform']>;

async function readConfig(
  upstream: Upstream,
  name: ImageName,
  { blobs: [config] }: Manifest,
): Promise<(Platform & { readonly created: string | undefined }) | undefined> {
  if (config === undefined || config.size > CONFIG_LIMIT) return undefined;
  const bytes = await blobBytes(upstream, name, config);
  if (bytes === undefined) return undefined;
  try {
    const { os, architecture, variant, created } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
    const at = typeof created === 'string' ? new Date(created) : undefined;
    return {
      os,
      architecture,
      ...(typeof variant === 'string' ? { variant } : {}),
      created: at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString(),
    };
  } catch {
    return undefined;
  }
}

async function blobBytes(upstream: Upstream, name: ImageName, { digest, size }: { digest: Digest; size: number }) {
  const stream = await upstream.blob(name.repository, digest, { offset: 0, size });
  if (stream === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return matchesDigest(bytes, digest) ? bytes : undefined;
}

/** BuildKit lists its attestations beside the images, for a platform that there is none of. */
function isRunnable({ platform }: Descriptor): boolean {
  return platform?.os !== 'unknown' && platform?.architecture !== 'unknown';
}

function platformText(platform: Platform | undefined): string {
  if (platform === undefined) return 'unknown';
  const { os, architecture, variant } = platform;
  return [os, architecture, variant]
    .filter((part) => part !== undefined)
    .map(plain)
    .join('/');
}

/** Foreign text that goes into signed metadata and onto a terminal. */
function plain(text: string | undefined): string {
  return (text ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 40);
}
