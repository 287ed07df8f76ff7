import type { Recent } from '../cache/recent.ts';
import type { Digest } from '../oci/digest.ts';
import { digestReference, type ImageName, imageText, type Reference } from '../oci/reference.ts';
import type { Verdict } from '../trust/verdict.ts';
import { attempted, settled } from './attempt.ts';
import { type KnownWays, reusableUntil } from './known-ways.ts';
import type { Search } from './search.ts';

/** Finds verdicts: by the ways that are known, and for a digest lastly by a search in what is signed. */
export class Verdicts {
  readonly #known: KnownWays;
  readonly #search: Search;
  readonly #recent: Recent<Verdict>;
  readonly #now: () => Date;

  constructor(parts: { known: KnownWays; search: Search; recent: Recent<Verdict>; now: () => Date }) {
    this.#known = parts.known;
    this.#search = parts.search;
    this.#recent = parts.recent;
    this.#now = parts.now;
  }

  /**
   * A tag is judged for what it means now. A digest is admitted when an authority admits it now, or when it is the child of an
   * index that one admits now.
   * @throws RegistryError MANIFEST_UNKNOWN, UpstreamError: where the upstream's word, or what it has, was needed
   */
  of(name: ImageName, reference: Reference): Promise<Verdict> {
    if (reference.kind === 'tag') return this.#known.of(name, reference);
    return this.#recent.get(
      `searched ${imageText(name, reference)}`,
      () => this.#find(name, reference.digest),
      (verdict) => reusableUntil(verdict, this.#now()),
    );
  }

  /** Without a search, and without what was kept from before something was admitted that may lead to it. */
  afresh(name: ImageName, digest: Digest): Promise<Verdict> {
    return this.#known.afresh(name, digestReference(digest));
  }

  async #find(name: ImageName, digest: Digest): Promise<Verdict> {
    const reference = digestReference(digest);
    const found = await this.#search.lastly('manifest', name, digest, (afresh) =>
      attempted(afresh ? this.#known.afresh(name, reference) : this.#known.of(name, reference)),
    );
    return settled(found);
  }
}
