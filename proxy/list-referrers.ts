import type { MaterialMemory } from '../cache/material-memory.ts';
import { algorithmOf, type Digest, hexOf, isDigest } from '../oci/digest.ts';
import { digestReference, type ImageName, imageText, parseTag, tagReference } from '../oci/reference.ts';
import type { SignatureMaterial } from '../trust/signature-material.ts';
import { parseReferrerIndex, type ReferrerIndex, referrerIndexBytes } from '../upstream/referrer-index.ts';
import { DeniedError } from './denial.ts';
import type { Upstream, Upstreams } from './upstreams.ts';
import type { Verdicts } from './verdicts.ts';

/** An OCI index that lists referrers; `filtered` when `artifactType` was applied. */
export interface ReferrerList {
  readonly bytes: Uint8Array;
  readonly filtered: boolean;
}

/** More than any image has; who lists thousands must not drive out what others were told of. */
const TOLD_LIMIT = 1000;

/**
 * The story of `GET /v2/<name>/referrers/<digest>` (distribution-spec, "Listing Referrers"): the upstream's list, for a subject
 * that is admitted, over the referrers API or the fallback tag. A list is only a list: what it names is looked at when it is
 * pulled, as an image and then as signature material.
 */
export class ReferrerLists {
  readonly #verdicts: Verdicts;
  readonly #upstreams: Upstreams;
  readonly #material: Pick<MaterialMemory<SignatureMaterial>, 'tell'>;

  constructor(parts: {
    verdicts: Verdicts;
    upstreams: Upstreams;
    material: Pick<MaterialMemory<SignatureMaterial>, 'tell'>;
  }) {
    this.#verdicts = parts.verdicts;
    this.#upstreams = parts.upstreams;
    this.#material = parts.material;
  }

  /** @throws DeniedError when the subject is not admitted; UpstreamError. A subject without referrers has an empty list. */
  async of(name: ImageName, subject: Digest, artifactType: string | undefined): Promise<ReferrerList> {
    const verdict = await this.#verdicts.of(name, digestReference(subject));
    if (verdict.outcome !== 'admitted') throw new DeniedError(imageText(name, digestReference(subject)), verdict);
    const upstream = this.#upstreams.of(name);
    const index = (await this.#fromApi(upstream, name, subject)) ?? (await this.#fromTag(upstream, name, subject));
    const manifests = index === undefined ? [] : index.manifests.filter((entry) => isWanted(entry, artifactType));
    for (const entry of manifests.slice(0, TOLD_LIMIT)) {
      if (isDescriptor(entry)) this.#material.tell(name, entry.digest, subject);
    }
    return { bytes: referrerIndexBytes({ manifests }), filtered: artifactType !== undefined };
  }

  async #fromApi(upstream: Upstream, name: ImageName, subject: Digest): Promise<ReferrerIndex | undefined> {
    const answer = await upstream.referrers(name.repository, subject, {});
    return answer === undefined ? undefined : parseReferrerIndex(answer.bytes, answer.contentType);
  }

  /** distribution-spec, "Referrers Tag Schema": registries without the API keep the list under a tag made of the digest. */
  async #fromTag(upstream: Upstream, name: ImageName, subject: Digest): Promise<ReferrerIndex | undefined> {
    const tag = parseTag(`${algorithmOf(subject)}-${hexOf(subject)}`.slice(0, 128));
    const answer = await upstream.manifest(name.repository, tagReference(tag));
    return answer === undefined ? undefined : parseReferrerIndex(answer.bytes, answer.contentType);
  }
}

function isWanted(entry: unknown, artifactType: string | undefined): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  return artifactType === undefined || ('artifactType' in entry && entry.artifactType === artifactType);
}

function isDescriptor(entry: unknown): entry is { readonly digest: Digest } {
  if (typeof entry !== 'object' || entry === null || !('digest' in entry)) return false;
  return typeof entry.digest === 'string' && isDigest(entry.digest);
}
