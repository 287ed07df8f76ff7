import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';

/** Parsed manifests in memory, by digest; content only, no word about trust. Bounded in bytes. */
export class ManifestMemory {
  readonly #manifests: LRUCache<Digest, Manifest>;

  constructor(maxBytes: number) {
    // A parsed manifest holds its descriptors beside its bytes: about as much again.
    this.#manifests = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => 2 * bytes.byteLength + 512 });
  }

  get(digest: Digest): Manifest | undefined {
    return this.#manifests.get(digest);
  }

  set(manifest: Manifest): void {
    this.#manifests.set(manifest.digest, manifest);
  }
}
