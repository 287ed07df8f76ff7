import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { ImageName, Tag } from '../../oci/reference.ts';
import type { SignedTarget } from '../authority.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import type { DigestIndex } from './digest-index.ts';
import type { ImageIndex } from './image-index.ts';
import { CANDIDATE_LIMIT, LISTING_LIMIT } from './metadata-limits.ts';
import type { Repository } from './repository.ts';
import { type Resolution, search } from './search.ts';
import type { TargetName } from './target-name.ts';

/** What an image is looked for by. */
export interface Looking {
  readonly repository: Repository;
  readonly index: DigestIndex;
  readonly images: ImageIndex;
  readonly names: TargetName;
  /** Roles whose word counts; any, when there are none. */
  readonly accepted: ReadonlySet<string>;
  readonly now: Date;
}

/** @throws MetadataError TAG_NOT_SIGNED, and what a search throws */
export function resolveTag({ repository, names, accepted, now }: Looking, name: ImageName, tag: Tag): Resolution {
  const path = names.pathOf(name, { kind: 'tag', tag });
  const found = search(repository, path, accepted, now);
  if (found === undefined) throw new MetadataError('TAG_NOT_SIGNED', `there is no target ${path}`);
  return found;
}

/**
 * A target of this image, under a tag or by its digest, that has the digest now, by the same search as a pull of that tag: a digest
 * that was only once signed, or in a role that another comes before, is none.
 * @throws MetadataError DIGEST_NOT_SIGNED; the fault of a role in which it may be
 */
export function resolveDigest(looking: Looking, name: ImageName, digest: Digest): Resolution {
  const { repository, index, names, accepted, now } = looking;
  const paths = index.paths(digest).filter((path) => names.isOf(name, path, digest));
  if (paths.length > CANDIDATE_LIMIT) {
    throw new MetadataError(
      'METADATA_INVALID',
      `expected at most ${CANDIDATE_LIMIT} tags with one digest, got ${paths.length}`,
    );
  }
  let fault: MetadataError | undefined;
  // Last under its own name, where nobody may have it: a role that cannot be used may be why it is not in the index.
  for (const path of [...paths, names.pathOf(name, { kind: 'digest', digest })]) {
    try {
      const found = search(repository, path, accepted, now);
      if (found !== undefined && means(found, digest)) return found;
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
      fault ??= error;
    }
  }
  throw fault ?? new MetadataError('DIGEST_NOT_SIGNED', 'no target of this image has this digest now');
}

/** What this image is signed under, the likeliest first, with what a pull of each would resolve to; those that would be refused are left out. */
export function* listTargets(looking: Looking, name: ImageName): Generator<SignedTarget> {
  for (const reference of looking.images.referencesOf(name).slice(0, LISTING_LIMIT)) {
    try {
      if (reference.kind === 'tag') {
        const { target } = resolveTag(looking, name, reference.tag);
        yield { tag: reference.tag, digest: parseDigest(`sha256:${target.sha256}`) };
      } else {
        resolveDigest(looking, name, reference.digest);
        yield { tag: undefined, digest: reference.digest };
      }
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
    }
  }
}

function means({ target }: Resolution, digest: Digest): boolean {
  return digest === `sha256:${target.sha256}` || digest === `sha512:${target.sha512}`;
}
