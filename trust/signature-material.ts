import { type Digest, parseDigest } from '../oci/digest.ts';
import { type Descriptor, MANIFEST_LIMIT, type Manifest } from '../oci/manifest.ts';
import { mediaTypeOf, OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts';
import type { Tag } from '../oci/reference.ts';
import { MetadataError } from './metadata/metadata-error.ts';
import { type Json, type JsonObject, parseStrictJson } from './metadata/strict-json.ts';
import { CONFIG_TYPES, IMAGE_CONFIG, KINDS, LAYER_TYPES } from './signature-types.ts';

declare const proof: unique symbol;

/**
 * What somebody says about an image, for a client that checks it for itself: signatures, attestations, SBOMs. Nobody vouches for
 * it. By its types it is no image; that its blobs hold nothing that could run is for whoever has them to see. Only the functions of this
 * file make one.
 */
export interface SignatureMaterial {
  readonly [proof]: true;
  readonly manifest: Manifest;
  /** What it is about, and stands and falls with. */
  readonly subject: Digest;
  readonly blobs: readonly Descriptor[];
}

/** A tag that is made of a digest: cosign's, or distribution-spec, "Referrers Tag Schema". */
export interface MaterialTag {
  readonly subject: Digest;
  /** The fallback tag, of a list of referrers, has no ending. */
  readonly ending: '' | '.sig' | '.att' | '.sbom';
}

/** Bytes, config and layers together: they are fetched before the manifest is passed on. The largest are attestations of whole SBOMs. */
const BLOBS_LIMIT = 16 * 1024 * 1024;

/** Config and layers; as many signatures as DockLock itself looks at. */
const BLOB_COUNT_LIMIT = 101;

/** Entries in a list of referrers. */
const LIST_LIMIT = 1000;

const TAG = /^sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?$/;

/** Clients in Go read names whatever their case: a name beside the known ones could be one of them to a client. */
const MANIFEST_FIELDS = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'subject', 'annotations'];
const INDEX_FIELDS = ['schemaVersion', 'mediaType', 'artifactType', 'manifests', 'subject', 'annotations'];
/** Neither `platform`, by which a runtime chooses, nor `urls`, from which it would fetch elsewhere. */
const DESCRIPTOR_FIELDS = ['mediaType', 'artifactType', 'digest', 'size', 'annotations', 'data'];

/** Undefined of every other tag. */
export function parseMaterialTag(tag: Tag): MaterialTag | undefined {
  const [, hex, ending = ''] = TAG.exec(tag) ?? [];
  if (hex === undefined) return undefined;
  return { subject: parseDigest(`sha256:${hex}`), ending: ending as MaterialTag['ending'] };
}

/** A manifest that was asked for by its digest, as material about the subject it names itself. Undefined: it is none. */
export function referringMaterial(manifest: Manifest): SignatureMaterial | undefined {
  const document = documentOf(manifest, OCI_MANIFEST, MANIFEST_FIELDS);
  if (document === undefined || manifest.subject === undefined) return undefined;
  const config = manifest.config?.mediaType ?? '';
  // image-spec, "Guidelines for Artifact Usage": without an artifactType the config's type stands for it.
  const kind = textAt(document, 'artifactType') ?? config;
  if (!KINDS.has(mediaTypeOf(kind)) || !CONFIG_TYPES.has(mediaTypeOf(config))) return undefined;
  return withBlobs(manifest, manifest.subject.digest);
}

/** What a registry keeps under a tag made of a digest, as material about that digest. Undefined: it is none. */
export function taggedMaterial({ subject, ending }: MaterialTag, manifest: Manifest): SignatureMaterial | undefined {
  if (manifest.subject !== undefined && manifest.subject.digest !== subject) return undefined;
  if (ending === '') return listOfReferrers(manifest, subject);
  const document = documentOf(manifest, OCI_MANIFEST, MANIFEST_FIELDS);
  if (document === undefined) return undefined;
  const config = mediaTypeOf(manifest.config?.mediaType ?? '');
  const kind = textAt(document, 'artifactType');
  if (kind !== undefined && !KINDS.has(mediaTypeOf(kind))) return undefined;
  // cosign gives its signatures the config of an image.
  if (config !== IMAGE_CONFIG && !CONFIG_TYPES.has(config)) return undefined;
  return withBlobs(manifest, subject);
}

/** Every entry says what kind of artifact it is, and none is for a platform: nothing that a runtime would look for in an index. */
function listOfReferrers(manifest: Manifest, subject: Digest): SignatureMaterial | undefined {
  const document = documentOf(manifest, OCI_INDEX, INDEX_FIELDS);
  const entries = document === undefined ? undefined : descriptorsAt(document, 'manifests');
  const artifacts = entries?.every((entry) => {
    const type = mediaTypeOf(textAt(entry, 'artifactType') ?? '');
    return entry.mediaType === OCI_MANIFEST && type !== '' && type !== IMAGE_CONFIG;
  });
  return artifacts ? material(manifest, subject, []) : undefined;
}

function withBlobs(manifest: Manifest, subject: Digest): SignatureMaterial | undefined {
  const { blobs, config } = manifest;
  const layers = blobs.filter((blob) => blob !== config);
  if (layers.length === 0 || blobs.length > BLOB_COUNT_LIMIT) return undefined;
  if (!layers.every(({ mediaType }) => LAYER_TYPES.has(mediaTypeOf(mediaType)))) return undefined;
  return blobs.reduce((sum, { size }) => sum + size, 0) > BLOBS_LIMIT ? undefined : material(manifest, subject, blobs);
}

function material(manifest: Manifest, subject: Digest, blobs: readonly Descriptor[]): SignatureMaterial {
  return { manifest, subject, blobs } as SignatureMaterial;
}

/** The document, where it can be read in one way only and has nothing in it that this file does not know. */
function documentOf(manifest: Manifest, mediaType: string, fields: readonly string[]): JsonObject | undefined {
  if (manifest.mediaType !== mediaType) return undefined;
  const document = strictly(manifest.bytes);
  if (!isObject(document) || !hasOnly(document, fields)) return undefined;
  const single = [document.config, document.subject].filter((value) => value !== undefined);
  const listed = ['layers', 'manifests'].map((field) => descriptorsAt(document, field));
  if (!single.every(isDescriptor) || listed.includes(undefined)) return undefined;
  return document;
}

function strictly(bytes: Uint8Array): Json | undefined {
  try {
    return parseStrictJson(bytes, MANIFEST_LIMIT, 'signature material');
  } catch (error) {
    if (error instanceof MetadataError) return undefined;
    throw error;
  }
}

/** Undefined: not a list of plain descriptors, or too long a one. */
function descriptorsAt(document: JsonObject, field: string): readonly JsonObject[] | undefined {
  const value = document[field] ?? [];
  if (!Array.isArray(value) || value.length > LIST_LIMIT) return undefined;
  const entries: readonly Json[] = value;
  return entries.every(isDescriptor) ? entries : undefined;
}

function isDescriptor(value: Json | undefined): value is JsonObject {
  return isObject(value) && hasOnly(value, DESCRIPTOR_FIELDS);
}

function hasOnly(object: JsonObject, fields: readonly string[]): boolean {
  return Object.keys(object).every((field) => fields.includes(field));
}

function textAt(object: JsonObject, field: string): string | undefined {
  const value = object[field];
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : '';
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
