import type { BlobStore } from '../cache/blob-store.ts';
import type { ManifestMemory } from '../cache/manifest-memory.ts';
import type { Recent } from '../cache/recent.ts';
import { algorithmOf, type Digest, digestOf } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { MANIFEST_LIMIT, type Manifest, parseManifest } from '../oci/manifest.ts';
import { digestReference, type ImageName, imageText } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { type Refused, refused } from '../trust/verdict.ts';
import type { Upstreams } from './upstreams.ts';

/** How long what an upstream served wrongly is held against it, in milliseconds: as long as a verdict is used again. */
const REFUSAL_REUSE = 1000;

type Found = { readonly manifest: Manifest } | { readonly refused: Refused };

/** Manifests by digest: from memory, disk or the upstream, in this order. Content only; says nothing about admission. */
export class Manifests {
  readonly #memory: ManifestMemory;
  readonly #store: Pick<BlobStore, 'readAll' | 'put'>;
  readonly #upstreams: Upstreams;
  readonly #flights: Recent<Found>;
  readonly #now: () => Date;
  readonly #log: Log;

  constructor(parts: {
    memory: ManifestMemory;
    store: Pick<BlobStore, 'readAll' | 'put'>;
    upstreams: Upstreams;
    flights: Recent<Found>;
    now: () => Date;
    log: Log;
  }) {
    this.#memory = parts.memory;
    this.#store = parts.store;
    this.#upstreams = parts.upstreams;
    this.#flights = parts.flights;
    this.#now = parts.now;
    this.#log = parts.log;
  }

  /**
   * The manifest with this digest, its bytes checked against it. `Refused` when the upstream serves other bytes for it.
   * @throws RegistryError MANIFEST_UNKNOWN, UpstreamError
   */
  async get(name: ImageName, digest: Digest): Promise<Manifest | Refused> {
    const kept = this.#memory.get(digest);
    if (kept !== undefined) return kept;
    const key = imageText(name, digestReference(digest));
    const found = await this.#flights.get(
      key,
      () => this.#find(name, digest),
      (found) => this.#reusableUntil(found),
    );
    return 'manifest' in found ? found.manifest : found.refused;
  }

  /** The same without the upstream: undefined when it is not at hand. */
  async kept(digest: Digest): Promise<Manifest | undefined> {
    const kept = this.#memory.get(digest);
    if (kept !== undefined) return kept;
    const found = await this.#stored(digest);
    return found !== undefined && 'manifest' in found ? found.manifest : undefined;
  }

  /** Bad bytes are not asked for again by every pull of a rush; good ones are in memory. */
  #reusableUntil(found: Found): number {
    return 'refused' in found ? this.#now().getTime() + REFUSAL_REUSE : 0;
  }

  async #find(name: ImageName, digest: Digest): Promise<Found> {
    const found = (await this.#stored(digest)) ?? (await this.#fetch(name, digest));
    if ('manifest' in found) this.#memory.set(found.manifest);
    return found;
  }

  async #stored(digest: Digest): Promise<Found | undefined> {
    const stored = await this.#store.readAll(digest, MANIFEST_LIMIT);
    return stored === undefined ? undefined : parse(digest, stored, '');
  }

  async #fetch(name: ImageName, digest: Digest): Promise<Found> {
    const answer = await this.#upstreams.of(name).manifest(name.repository, digestReference(digest));
    if (answer === undefined) {
      throw new RegistryError(
        'MANIFEST_UNKNOWN',
        `${imageText(name, digestReference(digest))} is unknown to the upstream`,
      );
    }
    const found = parse(digest, answer.bytes, answer.contentType);
    if ('manifest' in found) await this.#keep(digest, answer.bytes);
    return found;
  }

  /** Trouble with writing costs a fetch next time, and weakens nothing: the bytes in hand were checked. */
  async #keep(digest: Digest, bytes: Uint8Array): Promise<void> {
    try {
      await this.#store.put(digest, bytes);
    } catch (error) {
      this.#log.warn({ digest, error: String(error) }, 'manifest not kept on disk');
    }
  }
}

/** The digest is compared before anything is read out of the bytes: what does not match it is nobody's manifest. */
function parse(digest: Digest, bytes: Uint8Array, contentType: string): Found {
  const algorithm = algorithmOf(digest);
  const actual = digestOf(bytes, algorithm);
  if (actual !== digest) {
    return { refused: refused('CONTENT_MISMATCH', `the upstream serves ${actual} where ${digest} was asked for`) };
  }
  try {
    return { manifest: parseManifest(bytes, contentType, algorithm) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { refused: refused('MANIFEST_INVALID', `the manifest is not acceptable: ${error.message}`) };
  }
}
