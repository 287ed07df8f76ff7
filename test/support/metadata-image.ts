import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_MANIFEST } from '../../oci/media-type.ts';

const CONFIG = Buffer.from('{}');

/** Metadata as docker/go-tuf-mirror puts it into a registry: a layer for each file, which an annotation names. */
export function metadataImage(files: ReadonlyMap<string, Buffer>): MemoryImage {
  const layers = [...files].map(([name, bytes]) => ({
    mediaType: 'application/vnd.tuf.metadata+json',
    digest: digestOf(bytes),
    size: bytes.byteLength,
    annotations: { 'tuf.io/filename': name },
  }));
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(CONFIG),
    size: CONFIG.byteLength,
  };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
  return {
    mediaType: OCI_MANIFEST,
    bytes,
    digest: digestOf(bytes),
    blobs: new Map([CONFIG, ...files.values()].map((blob) => [digestOf(blob), blob])),
    config: config.digest,
    layers: layers.map(({ digest }) => digest),
    children: [],
  };
}
