import { type Digest, isDigest } from '../../oci/digest.ts';
import { isTag, type Tag } from '../../oci/reference.ts';
import type { SignedTarget } from '../authority.ts';
import { likeliestFirst } from '../tag-order.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { type Resolution, resolveTag, type TagRules } from './resolve.ts';
import { RELEASES } from './role-name.ts';
import type { TrustedRepository } from './trusted-repository.ts';

/** From digests to the tags that may mean them. Made once per state of a repository, not once per pull. */
export class DigestIndex {
  readonly #repository: TrustedRepository;
  readonly #tags = new Map<Digest, string[]>();
  #ordered: readonly Tag[] | undefined;

  constructor(repository: TrustedRepository) {
    this.#repository = repository;
    for (const role of ['targets', RELEASES] as const) {
      for (const [tag, { sha256, sha512 }] of repository.targets.get(role)?.metadata.targets ?? []) {
        this.#add(`sha256:${sha256}`, tag);
        this.#add(`sha512:${sha512}`, tag);
      }
    }
  }

  /**
   * A tag that means this digest now, by the same precedence and rules as a pull of the tag: a digest that was only
   * once signed, or signed under a tag that has moved on, is none.
   * @throws MetadataError DIGEST_NOT_SIGNED
   */
  resolve(digest: Digest, rules: TagRules, now: Date): Resolution {
    let fault: MetadataError | undefined;
    for (const tag of this.#tags.get(digest) ?? []) {
      try {
        const resolution = resolveTag(this.#repository, tag, rules, now);
        if (resolution.digest === digest || `sha512:${resolution.sha512}` === digest) return resolution;
      } catch (error) {
        if (!(error instanceof MetadataError)) throw error;
        fault = error;
      }
    }
    const why = fault === undefined ? '' : `; a tag that had it is not acceptable: ${fault.message}`;
    throw new MetadataError('DIGEST_NOT_SIGNED', `no signed tag means this digest now${why}`);
  }

  /** Every tag with what a pull of it would resolve to, by the same precedence and rules; those that would be refused are left out. */
  *targets(rules: TagRules, now: Date): Generator<SignedTarget> {
    this.#ordered ??= likeliestFirst(new Set([...this.#tags.values()].flat().filter(isTag)));
    for (const tag of this.#ordered) {
      try {
        yield { tag, digest: resolveTag(this.#repository, tag, rules, now).digest };
      } catch (error) {
        if (!(error instanceof MetadataError)) throw error;
      }
    }
  }

  #add(text: string, tag: string): void {
    if (!isDigest(text)) return;
    const tags = this.#tags.get(text);
    if (tags === undefined) this.#tags.set(text, [tag]);
    else tags.push(tag);
  }
}
