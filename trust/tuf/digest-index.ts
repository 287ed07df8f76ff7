import type { Digest } from '../../oci/digest.ts';
import type { Repository } from './repository.ts';
import type { TargetsMetadata } from './targets-metadata.ts';

const NONE: readonly string[] = [];

/** From digests to the targets that may have them. Made once per state of a repository, not once per pull. */
export class DigestIndex {
  readonly #paths = new Map<string, string[]>();

  constructor({ targets, roles }: Repository) {
    this.#addAll(targets.metadata);
    for (const { metadata } of roles.values()) this.#addAll(metadata);
  }

  /** Paths that some role has with this digest. Whether one of them means it now is for a search to say. */
  paths(digest: Digest): readonly string[] {
    return this.#paths.get(digest) ?? NONE;
  }

  #addAll({ targets }: TargetsMetadata): void {
    for (const [path, { sha256, sha512 }] of targets) {
      if (sha256 !== undefined) this.#add(`sha256:${sha256}`, path);
      if (sha512 !== undefined) this.#add(`sha512:${sha512}`, path);
    }
  }

  #add(digest: string, path: string): void {
    const paths = this.#paths.get(digest);
    if (paths === undefined) this.#paths.set(digest, [path]);
    else paths.push(path);
  }
}
