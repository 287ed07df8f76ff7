import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-type.ts';
import type { Json } from './sigstore-json.ts';
import type { LegacyLayer } from './sigstore-publisher.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const SIGNATURE_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

export interface Layer {
  readonly blob: Buffer;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Said of it, where that is to be a lie. */
  readonly size?: number;
}

/** The manifest that holds one bundle and refers to an image. */
export function bundleImage(bundle: Json, subject: MemoryImage): MemoryImage {
  return artifactImage([{ blob: Buffer.from(JSON.stringify(bundle)), mediaType: BUNDLE_TYPE }], BUNDLE_TYPE, subject);
}

/** A `.sig` or `.att` manifest. */
export function legacyImage(...layers: readonly LegacyLayer[]): MemoryImage {
  return artifactImage(layers);
}

/** `sha256-<hex>` and its ending. */
export function signatureTag({ digest }: { readonly digest: Digest }, ending = ''): string {
  return `${digest.replace(':', '-')}${ending}`;
}

export function artifactImage(layers: readonly Layer[], artifactType?: string, subject?: MemoryImage): MemoryImage {
  const config = Buffer.from('{}');
  const bytes = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(config), size: config.byteLength },
    layers: layers.map(({ blob, mediaType, annotations, size = blob.byteLength }) => ({
      mediaType,
      digest: digestOf(blob),
      size,
      ...(annotations === undefined ? {} : { annotations }),
    })),
    ...(subject === undefined ? {} : { subject: descriptorOf(subject) }),
  });
  return {
    mediaType: OCI_MANIFEST,
    bytes,
    digest: digestOf(bytes),
    blobs: new Map([config, ...layers.map(({ blob }) => blob)].map((blob) => [digestOf(blob), blob])),
    layers: layers.map(({ blob }) => digestOf(blob)),
    children: [],
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject: subject.digest }),
  };
}

/** An index whose entries have annotations of their own: a list of referrers, or what BuildKit writes. */
export function annotatedIndex(
  entries: readonly { readonly image: MemoryImage; readonly annotations?: Readonly<Record<string, string>> }[],
): MemoryImage {
  const manifests = entries.map(({ image, annotations }) => ({
    ...descriptorOf(image),
    ...(image.artifactType === undefined ? {} : { artifactType: image.artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }));
  const bytes = json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const children = entries.map(({ image }) => image);
  return { mediaType: OCI_INDEX, bytes, digest: digestOf(bytes), blobs: new Map(), layers: [], children };
}

function descriptorOf({ mediaType, digest, bytes }: MemoryImage): object {
  return { mediaType, digest, size: bytes.byteLength };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
