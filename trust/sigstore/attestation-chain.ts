import type { Digest } from '../../oci/digest.ts';
import { isIndexMediaType } from '../../oci/media-type.ts';
import { checkClaim, type Wanted } from './check-claim.ts';
import { readStatement } from './image-claim.ts';
import { PLATFORMS_LIMIT } from './limits.ts';
import type { ContentPolicy } from './policy.ts';
import type { RegistryReader } from './registry-reader.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';
import type { Annotated, SignatureManifest } from './signature-manifest.ts';

/** An image, and the manifests that attest to it: it is them, not the image, that are signed. */
export interface AttestationChain {
  readonly image: Digest;
  readonly attestations: readonly Digest[];
  /** Which of them must be signed. All that an index lists: each of them is admitted with the index. */
  readonly need: 'all' | 'any';
}

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const ATTESTATION_MANIFEST = 'attestation-manifest';
const IN_TOTO = 'application/vnd.in-toto+json';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';
const SLSA_PROVENANCE = /^https:\/\/slsa\.dev\/provenance\/v/;

/** Attestation manifests of one image that are followed; BuildKit writes one. */
const ATTESTATIONS_LIMIT = 8;

/**
 * BuildKit, "attestation storage": an index lists, beside each image, an attestation manifest that names it by an
 * annotation; Docker's hardened images have it as a referrer instead. Every image of an index is followed: an index that
 * lists one unsigned image among signed ones is not signed.
 * @throws SourceUnavailable; SigstoreError
 */
export async function* chainsOf(
  reader: RegistryReader,
  { digest }: Wanted,
  policy: ContentPolicy,
): AsyncGenerator<AttestationChain> {
  const manifest = await reader.manifest(digest);
  if (manifest === undefined) throw new SigstoreError('METADATA_MISMATCH', `the registry has no manifest ${digest}`);
  if (!isIndexMediaType(manifest.mediaType)) {
    const attestations = await attestingReferrers(reader, digest);
    yield { ...(await chainOf(reader, manifest, attestations, policy)), need: 'any' };
    return;
  }
  const images = manifest.manifests.filter((entry) => !isAttestation(entry));
  if (images.length > PLATFORMS_LIMIT)
    throw malformed('the index', `at most ${PLATFORMS_LIMIT} images`, `${images.length}`);
  requireNoStray(manifest.manifests, images);
  for (const entry of images) {
    const attesting = manifest.manifests.filter(
      (other) => isAttestation(other) && other.annotations.get(REFERENCE_DIGEST) === entry.digest,
    );
    const attestations = attesting.map((other) => other.digest);
    yield { ...(await chainOf(reader, entry, attestations, policy)), need: 'all' };
  }
}

/** An evil image would only have to be called an attestation manifest to be passed over, and then be admitted with its index. */
function requireNoStray(entries: readonly Annotated[], images: readonly Annotated[]): void {
  const listed = new Set(images.map(({ digest }) => digest as string));
  const stray = entries.find(
    (entry) => isAttestation(entry) && !listed.has(entry.annotations.get(REFERENCE_DIGEST) ?? ''),
  );
  if (stray === undefined) return;
  throw new SigstoreError(
    'SUBJECT_MISMATCH',
    `the attestation manifest ${stray.digest} is about no image of the index`,
  );
}

function isAttestation({ annotations }: Annotated): boolean {
  return annotations.get(REFERENCE_TYPE) === ATTESTATION_MANIFEST;
}

async function attestingReferrers(reader: RegistryReader, image: Digest): Promise<Digest[]> {
  const referrers = await reader.referrers(image);
  return (referrers?.list.manifests ?? [])
    .filter(({ artifactType, annotations }) => artifactType === IN_TOTO && isSlsa(annotations))
    .map(({ digest }) => digest);
}

async function chainOf(
  reader: RegistryReader,
  image: Pick<SignatureManifest, 'digest' | 'size' | 'mediaType'>,
  attesting: readonly Digest[],
  policy: ContentPolicy,
): Promise<Omit<AttestationChain, 'need'>> {
  if (attesting.length > ATTESTATIONS_LIMIT) {
    throw malformed(
      `the image ${image.digest}`,
      `at most ${ATTESTATIONS_LIMIT} attestation manifests`,
      `${attesting.length}`,
    );
  }
  const attestations: Digest[] = [];
  for (const digest of attesting) {
    await requireAttestation(reader, digest, image, policy);
    attestations.push(digest);
  }
  return { image: image.digest, attestations };
}

/** An annotation in an unsigned index is anybody's word: the attestation manifest itself must name the image as its subject. */
async function requireAttestation(
  reader: RegistryReader,
  digest: Digest,
  image: Pick<SignatureManifest, 'digest' | 'size' | 'mediaType'>,
  policy: ContentPolicy,
): Promise<void> {
  const manifest = await reader.manifest(digest);
  const subject = manifest?.subject;
  const names =
    subject?.digest === image.digest && subject.size === image.size && subject.mediaType === image.mediaType;
  if (manifest === undefined || !names) {
    throw new SigstoreError('SUBJECT_MISMATCH', `the attestation manifest ${digest} is not about ${image.digest}`);
  }
  const layers = manifest.layers.filter(({ mediaType }) => mediaType === IN_TOTO);
  if (!layers.some(({ annotations }) => isSlsa(annotations))) {
    throw new SigstoreError('ATTESTATION_MISSING', `the attestation manifest ${digest} has no SLSA provenance`);
  }
  if (policy.predicateType === undefined) return;
  const layer = layers.find(({ annotations }) => annotations.get(PREDICATE_TYPE) === policy.predicateType);
  if (layer === undefined) {
    throw new SigstoreError('ATTESTATION_MISSING', `no attestation of type ${policy.predicateType} in ${digest}`);
  }
  checkClaim(readStatement(await reader.blob(layer)), { digest: image.digest, reference: undefined }, policy);
}

function isSlsa(annotations: ReadonlyMap<string, string>): boolean {
  return SLSA_PROVENANCE.test(annotations.get(PREDICATE_TYPE) ?? '');
}
