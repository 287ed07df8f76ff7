import { type Digest, isDigest, matchesDigest } from '../../oci/digest.ts';
import { Fields } from '../metadata/fields.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import { parseStrictJson } from '../metadata/strict-json.ts';
import { ROLE_LIMIT } from './metadata-limits.ts';
import { type FileName, fileText, type MetadataFiles, type MetadataSource } from './source.ts';

/** What is needed of the registry that keeps the metadata. Both throw MetadataUnavailable when it could not be asked. */
export interface MetadataImages {
  /** @returns undefined for a tag that is not there, or that no tag can be called */
  manifest(tag: string): Promise<Uint8Array | undefined>;
  /** At most `size` bytes. */
  blob(digest: Digest, size: number): Promise<Uint8Array | undefined>;
}

interface Layer {
  readonly digest: Digest;
  readonly size: number;
}

type Layers = ReadonlyMap<string, Layer>;

/** Which file a layer is. */
const FILE_NAME = 'tuf.io/filename';

const MANIFEST_LIMIT = 4 * 1024 * 1024;

/**
 * Metadata in an OCI registry, as docker/go-tuf-mirror puts it there: one image with a layer for each file, named by an annotation,
 * under one tag; delegated roles in it too, or each in an image of its own, whose tag is the role's name.
 */
export function imageSource(address: string, images: MetadataImages, tag: string): MetadataSource {
  return { address, look: () => new ImageFiles(images, tag) };
}

/** One look: each tag is asked for once, so that the files are of one publication. */
class ImageFiles implements MetadataFiles {
  readonly #images: MetadataImages;
  readonly #tag: string;
  readonly #layers = new Map<string, Promise<Layers | undefined>>();

  constructor(images: MetadataImages, tag: string) {
    this.#images = images;
    this.#tag = tag;
  }

  async get(file: FileName, limit: number): Promise<Uint8Array | undefined> {
    const layer = await this.#find(file);
    if (layer === undefined) return undefined;
    const name = fileText(file);
    if (layer.size > limit) throw malformed(name, `at most ${limit} bytes`, String(layer.size));
    const bytes = await this.#images.blob(layer.digest, layer.size);
    if (bytes !== undefined && !matchesDigest(bytes, layer.digest)) {
      throw new MetadataError('METADATA_MISMATCH', `${name}: expected the blob ${layer.digest}, got other bytes`);
    }
    return bytes;
  }

  async #find({ role, version }: FileName): Promise<Layer | undefined> {
    const name = version === undefined ? `${role}.json` : `${version}.${role}.json`;
    const main = await this.#layersOf(this.#tag);
    return main?.get(name) ?? (TOP.has(role) ? undefined : (await this.#layersOf(role))?.get(name));
  }

  #layersOf(tag: string): Promise<Layers | undefined> {
    const asked = this.#layers.get(tag) ?? this.#ask(tag);
    this.#layers.set(tag, asked);
    return asked;
  }

  async #ask(tag: string): Promise<Layers | undefined> {
    const bytes = await this.#images.manifest(tag);
    return bytes && parseLayers(bytes, `the metadata image ${tag}`);
  }
}

const TOP: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot', 'targets']);

/** @throws MetadataError METADATA_INVALID */
function parseLayers(bytes: Uint8Array, where: string): Layers {
  const fields = new Fields(parseStrictJson(bytes, MANIFEST_LIMIT, where), where, ['layers']);
  const layers = new Map<string, Layer>();
  for (const value of fields.list('layers', ROLE_LIMIT)) {
    const layer = new Fields(value, where, ['digest', 'size', 'annotations']);
    const name = new Map(layer.entries('annotations', 100)).get(FILE_NAME);
    if (typeof name !== 'string') continue;
    const digest = layer.text('digest');
    if (!isDigest(digest)) throw malformed(where, 'layers with a digest', 'one without');
    layers.set(name, { digest, size: layer.integer('size', 0) });
  }
  return layers;
}
