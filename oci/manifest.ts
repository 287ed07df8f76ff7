import { type Digest, digestOf, isDigest } from './digest.ts';
import {
  isIndexMediaType,
  isManifestMediaType,
  type ManifestMediaType,
  mediaTypeOf,
  OCI_ARTIFACT,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-type.ts';
import { RegistryError } from './registry-error.ts';

/** distribution-spec, "Pushing manifests": 4 MiB is what registries are asked to carry; more is refused unread. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

/** Far above any real index or layer list; bounds what one admitted manifest can make us remember. */
const DESCRIPTOR_LIMIT = 10_000;

const ECHO_LIMIT = 80;

/** image-spec, "Content Descriptors". `size` in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** A manifest as it came: the exact bytes, and what they point to. Saying nothing about trust. */
export interface Manifest {
  readonly mediaType: ManifestMediaType;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** Child manifests of an index or manifest list. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers of an image, blobs of an artifact. */
  readonly blobs: readonly Descriptor[];
  /** Which of the blobs is an image's config. */
  readonly config?: Descriptor;
  readonly subject?: Descriptor;
}

/**
 * Reads the bytes of a manifest; `contentType` is what they were served with, empty when they come from our own disk.
 * The digest is computed with the algorithm of `expected` (sha256 when there is none); comparing is the caller's.
 * @throws RegistryError MANIFEST_INVALID: too large, not a manifest, or a document that two clients could read as two different things.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Manifest {
  if (bytes.byteLength > MANIFEST_LIMIT) throw invalid(`at most ${MANIFEST_LIMIT} bytes`, `${bytes.byteLength}`);
  const document = parseObject(bytes);
  const mediaType = mediaTypeFor(document, mediaTypeOf(contentType));
  const manifests = descriptorsAt(document, 'manifests');
  const layers = descriptorsAt(document, 'layers');
  const artifactBlobs = descriptorsAt(document, 'blobs');
  const config = document.config === undefined ? undefined : descriptor(document.config, 'config');
  checkShape(mediaType, document);
  const subject = document.subject === undefined ? undefined : descriptor(document.subject, 'subject');
  return {
    mediaType,
    digest: digestOf(bytes, algorithm),
    bytes,
    manifests,
    blobs: [...(config === undefined ? [] : [config]), ...layers, ...artifactBlobs],
    ...(config === undefined ? {} : { config }),
    ...(subject === undefined ? {} : { subject }),
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', 'expected a manifest in JSON, got something else', { cause });
  }
  if (!isObject(value)) throw invalid('a manifest object', typeof value);
  // The artifact manifest of image-spec 1.1-rc is the one that has no schemaVersion.
  if (value.schemaVersion !== 2 && value.mediaType !== OCI_ARTIFACT) {
    throw invalid('schemaVersion 2', shown(value.schemaVersion));
  }
  return value;
}

/**
 * The media type is a matter of the bytes alone, so that a digest never means two things (CVE-2021-41190): what the
 * document declares or, as image-spec allows for OCI documents, what its shape says. The header must agree.
 */
function mediaTypeFor(document: Record<string, unknown>, served: string): ManifestMediaType {
  const declared = document.mediaType;
  if (declared !== undefined && typeof declared !== 'string') throw invalid('mediaType as text', typeof declared);
  const mediaType = declared ?? (document.manifests === undefined ? OCI_MANIFEST : OCI_INDEX);
  if (!isManifestMediaType(mediaType)) {
    throw invalid('an OCI or Docker schema 2 manifest', shown(mediaType));
  }
  // Some registries serve stored manifests as plain JSON; bytes from our own disk come without a header.
  if (served !== mediaType && served !== 'application/json' && served !== '') {
    throw invalid(`Content-Type ${mediaType} as the manifest says`, shown(served));
  }
  return mediaType;
}

/** CVE-2021-41190: an index must not carry layers, nor an image children, or a client picks the reading it likes. */
function checkShape(mediaType: ManifestMediaType, document: Record<string, unknown>): void {
  const index = isIndexMediaType(mediaType);
  const wanted = index ? ['manifests'] : mediaType === OCI_ARTIFACT ? [] : ['config', 'layers'];
  const forbidden = index ? ['config', 'layers', 'fsLayers', 'blobs'] : ['manifests', 'fsLayers'];
  for (const field of wanted) {
    if (document[field] === undefined) throw invalid(`${field} in ${mediaType}`, 'none');
  }
  for (const field of forbidden) {
    if (document[field] !== undefined) throw invalid(`no ${field} in ${mediaType}`, `${field}`);
  }
}

function descriptorsAt(document: Record<string, unknown>, field: string): Descriptor[] {
  const value = document[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${field} as a list`, typeof value);
  if (value.length > DESCRIPTOR_LIMIT) throw invalid(`at most ${DESCRIPTOR_LIMIT} ${field}`, `${value.length}`);
  return value.map((entry, at) => descriptor(entry, `${field}[${at}]`));
}

function descriptor(value: unknown, at: string): Descriptor {
  if (!isObject(value)) throw invalid(`a descriptor at ${at}`, typeof value);
  const { mediaType, digest, size, artifactType } = value;
  if (typeof mediaType !== 'string') throw invalid(`${at}.mediaType as text`, typeof mediaType);
  if (typeof digest !== 'string' || !isDigest(digest))
    throw invalid(`a sha256 or sha512 digest at ${at}`, typeof digest);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`${at}.size as a whole number of bytes`, shown(size));
  }
  const platform = platformOf(value.platform);
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(platform === undefined ? {} : { platform }),
  };
}

function platformOf(value: unknown): Descriptor['platform'] | undefined {
  if (!isObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' ? { variant } : {}) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For a message: never as long, nor as deep, as what somebody put into a manifest. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, ECHO_LIMIT) : (value ?? null));
}

function invalid(expected: string, got: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', `expected ${expected}, got ${got}`);
}
