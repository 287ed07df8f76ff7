import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { type ImageName, nameText } from '../oci/reference.ts';

interface Listed {
  readonly digest: Digest;
}

/** What was passed on for clients to check for themselves: a manifest, and the blobs it lists. */
interface PassedOn {
  readonly manifest: Manifest;
  readonly subject: Digest;
  readonly blobs: readonly Listed[];
}

/** Bytes of manifests; they are fetched again when they are not here. */
const MANIFEST_BYTES = 32 * 1024 * 1024;

/** Past it the oldest are forgotten, and their list or manifest must be asked for again. */
const NAMES = 100_000;

/**
 * What clients were told of as signature material, and what was passed on of it, by repository. In memory only, and apart from `Admissions`: it was not admitted, so nothing
 * in here may lead to an admission, or outlive the process. Every use asks for a fresh verdict on what the material is about.
 */
export class MaterialMemory<Material extends PassedOn> {
  readonly #manifests: LRUCache<string, Material>;
  readonly #holders: LRUCache<string, { readonly material: Material; readonly blob: Material['blobs'][number] }>;

  readonly #subjects = new LRUCache<string, Digest>({ max: NAMES });

  constructor() {
    // Parsed, a manifest holds its descriptors beside its bytes: about as much again.
    const sizeCalculation = ({ manifest }: Material) => 2 * manifest.bytes.byteLength + 512;
    this.#manifests = new LRUCache({ maxSize: MANIFEST_BYTES, sizeCalculation });
    this.#holders = new LRUCache({ max: NAMES });
  }

  /** Notes that a client was told of this manifest as referring to the subject. */
  tell(name: ImageName, manifest: Digest, subject: Digest): void {
    this.#subjects.set(key(name, manifest), subject);
  }

  /** What the manifest is said to refer to; undefined of one that no client was told of. */
  subjectOf(name: ImageName, manifest: Digest): Digest | undefined {
    return this.#subjects.get(key(name, manifest));
  }

  add(name: ImageName, material: Material): void {
    this.#manifests.set(key(name, material.manifest.digest), material);
    this.tell(name, material.manifest.digest, material.subject);
    for (const blob of material.blobs) this.#holders.set(key(name, blob.digest), { material, blob });
  }

  get(name: ImageName, manifest: Digest): Material | undefined {
    return this.#manifests.get(key(name, manifest));
  }

  /** The material of this repository that was passed on last of those that list the blob. */
  holderOf(name: ImageName, blob: Digest) {
    return this.#holders.get(key(name, blob));
  }
}

function key(name: ImageName, digest: Digest): string {
  return `${nameText(name)}@${digest}`;
}
