import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import { isIndexMediaType } from '../oci/media-type.ts';
import type { Tag } from '../oci/reference.ts';
import type { SignedList } from '../trust/signed-list.ts';
import type { Attempt } from './attempt.ts';
import { PARENT_DEPTH } from './known-ways.ts';

/** What is looked for: manifests are listed by indexes alone, blobs by the images below them too. */
export type Wanted = 'manifest' | 'blob';

/** A manifest to look at. */
export interface Candidate {
  readonly digest: Digest;
  /** Signed tags that mean it, the likeliest first; none of what is signed under its digest, or below an index. */
  readonly tags: readonly Tag[];
  /** 1 is what is itself signed, 2 what that lists. */
  readonly level: number;
  /** Why it could not be looked at the last time. */
  failure?: Attempt;
}

/** Signed digests that one walk knows of. Each may cost a read from disk; repositories of 10,000 tags exist. */
const SIGNED_LIMIT = 1000;

/** Tags of one digest that are judged: whether it is admitted seldom depends on which of its tags is asked about. */
const TAG_LIMIT = 4;

/** Far above what any walk gets to look at; an index may list 10,000 manifests. */
const QUEUE_LIMIT = 10_000;

/** What one walk has still to look at, in the order in which it is likely to be what is looked for. */
export class WalkQueue {
  readonly #wanted: Wanted;
  #waiting: Candidate[] = [];
  readonly #below = new Set<Digest>();
  #cut = false;

  constructor(wanted: Wanted, list: Pick<SignedList, 'targets'>) {
    this.#wanted = wanted;
    const tags = new Map<Digest, Tag[]>();
    for (const { tag, digest } of list.targets) {
      const known = tags.get(digest);
      if (known === undefined && tags.size === SIGNED_LIMIT) {
        this.#cut = true;
        break;
      }
      if (known === undefined) tags.set(digest, tag === undefined ? [] : [tag]);
      else if (tag === undefined) continue;
      else if (known.length < TAG_LIMIT) known.push(tag);
      else this.#cut = true;
    }
    this.#waiting = [...tags].map(([digest, named]) => ({ digest, tags: named, level: 1 }));
  }

  /** Whether something signed was left out, so that not to have found is not to know. */
  get cut(): boolean {
    return this.#cut;
  }

  /** The next one. */
  take(): Candidate | undefined {
    return this.#waiting.shift();
  }

  /** The one with this digest, out of turn. */
  takeOut(digest: Digest): Candidate | undefined {
    const at = this.#waiting.findIndex((candidate) => candidate.digest === digest);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  /** To be looked at again, after all others: one that always fails must not stand before them. */
  putBack(candidates: readonly Candidate[]): void {
    this.#waiting.push(...candidates);
  }

  /** What an admitted manifest lists is to be looked at too, as far as it may lead to what is wanted. */
  addBelow({ manifests }: Manifest, level: number): void {
    if (this.#wanted === 'manifest') this.#waiting.push(...this.#new(indexesIn(manifests, level), level));
    // Below the likeliest tag first, rather than all tags before any image.
    else this.#waiting.unshift(...this.#new([...imagesIn(manifests), ...indexesIn(manifests, level)], level));
  }

  #new(listed: readonly Descriptor[], level: number): Candidate[] {
    const fresh = [...new Set(listed.map(({ digest }) => digest))].filter((digest) => !this.#below.has(digest));
    const room = Math.max(0, QUEUE_LIMIT - this.#waiting.length);
    if (fresh.length > room) this.#cut = true;
    const taken = fresh.slice(0, room);
    for (const digest of taken) this.#below.add(digest);
    return taken.map((digest) => ({ digest, tags: [], level: level + 1 }));
  }
}

function indexesIn(manifests: readonly Descriptor[], level: number): readonly Descriptor[] {
  return level < PARENT_DEPTH ? manifests.filter(({ mediaType }) => isIndexMediaType(mediaType)) : [];
}

function imagesIn(manifests: readonly Descriptor[]): readonly Descriptor[] {
  const images = manifests.filter(({ mediaType }) => !isIndexMediaType(mediaType));
  // BuildKit lists attestations as images of an unknown system: nobody runs them.
  const isAttestation = ({ platform }: Descriptor) => platform?.os === 'unknown';
  return [...images.filter((image) => !isAttestation(image)), ...images.filter(isAttestation)];
}
