import { type Digest, digestOf } from '../../oci/digest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-type.ts';

/** A manifest with everything it points to, held in memory. */
export interface MemoryImage {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Config and layers, by digest. */
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  readonly config?: Digest;
  readonly layers: readonly Digest[];
  /** Manifests below an index. */
  readonly children: readonly MemoryImage[];
  readonly subject?: Digest;
  readonly artifactType?: string;
}

export interface ImageSpec {
  readonly layers?: readonly (string | Uint8Array)[];
  readonly config?: object;
  readonly docker?: boolean;
  readonly subject?: MemoryImage;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** An image of the given layers; of one small layer when none are given. */
export function buildImage(spec: ImageSpec = {}): MemoryImage {
  const docker = spec.docker === true;
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const layers = (spec.layers ?? ['a layer']).map((layer) => Buffer.from(layer));
  const config = json(spec.config ?? { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } });
  const configType = docker
    ? 'application/vnd.docker.container.image.v1+json'
    : 'application/vnd.oci.image.config.v1+json';
  const layerType = docker
    ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    : 'application/vnd.oci.image.layer.v1.tar+gzip';
  const { subject, artifactType, annotations } = spec;
  const bytes = json({
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: descriptor(configType, config),
    layers: layers.map((layer) => descriptor(layerType, layer)),
    ...(subject === undefined ? {} : { subject: descriptor(subject.mediaType, subject.bytes) }),
    ...(annotations === undefined ? {} : { annotations }),
  });
  return {
    mediaType,
    bytes,
    digest: digestOf(bytes),
    blobs: new Map([config, ...layers].map((blob) => [digestOf(blob), blob])),
    config: digestOf(config),
    layers: layers.map((layer) => digestOf(layer)),
    children: [],
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

/** An index, or manifest list, of images; `platforms` in the same order. */
export function buildIndex(
  children: readonly MemoryImage[],
  { docker = false, platforms = [] }: { docker?: boolean; platforms?: readonly Platform[] } = {},
): MemoryImage {
  const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
  const manifests = children.map((child, at) => ({
    ...descriptor(child.mediaType, child.bytes),
    platform: platforms[at] ?? { os: 'linux', architecture: at === 0 ? 'amd64' : `variant${at}` },
  }));
  const bytes = json({ schemaVersion: 2, mediaType, manifests });
  return { mediaType, bytes, digest: digestOf(bytes), blobs: new Map(), layers: [], children };
}

function descriptor(mediaType: string, bytes: Buffer): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
