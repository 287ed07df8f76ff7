import type { Bundle } from '@sigstore/bundle';
import type { Digest } from '../../oci/digest.ts';
import { COSIGN_SIGN } from './image-claim.ts';
import { DSSE_ENVELOPE, legacyBundle, SIMPLE_SIGNING } from './legacy-layer.ts';
import { SIGNATURES_LIMIT } from './limits.ts';
import { parseBundle } from './parse-bundle.ts';
import { type RegistryReader, tagOf } from './registry-reader.ts';
import { echo, malformed, SigstoreError } from './sigstore-error.ts';
import type { Annotated, SignatureManifest } from './signature-manifest.ts';
import { SourceUnavailable } from './signature-source.ts';

/** How a signature was kept; what evidence calls it. */
export type Form = 'bundle' | 'bundle (fallback tag)' | 'signature referrer' | 'signature tag' | 'attestation tag';

/** A signature as it was found. Nothing about it is believed. */
export interface Candidate {
  readonly form: Form;
  /** The manifest it was found in. */
  readonly manifest: Digest;
  readonly bundle: Bundle;
  /** What a message signature is over. */
  readonly artifact: Uint8Array | undefined;
}

/** Something that was not a signature, or could not be fetched. */
export interface Fault {
  readonly form: Form | 'referrers';
  readonly error: SigstoreError | SourceUnavailable;
}

export type Found = { readonly candidate: Candidate } | { readonly fault: Fault };

/** Starts both artifact types that cosign and GitHub have given bundles. */
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle';
const SIGNATURE_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

/** Where cosign and GitHub say, beside a bundle, what is in it. */
const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';

/**
 * Everything that might be a signature of the digest, or an attestation of the wanted type, one after the other, so that whoever
 * is satisfied stops asking: newer forms first. A fault in one form hides nothing of another.
 * @param predicateType undefined for signatures
 */
export async function* findSignatures(
  reader: RegistryReader,
  subject: Digest,
  predicateType: string | undefined,
): AsyncGenerator<Found> {
  yield* bounded(referring(reader, subject, predicateType));
  if (predicateType === undefined) yield* bounded(tagged(reader, subject, '.sig', 'signature tag'));
  else yield* bounded(tagged(reader, subject, '.att', 'attestation tag'));
}

/** What is past the limit is not looked at, and that is said: it could at most have been one more reason to admit. */
async function* bounded(found: AsyncGenerator<Found>): AsyncGenerator<Found> {
  let count = 0;
  for await (const one of found) {
    count += 1;
    if (count <= SIGNATURES_LIMIT) {
      yield one;
      continue;
    }
    const error = malformed('the signatures of one image', `at most ${SIGNATURES_LIMIT}`, 'more');
    yield { fault: { form: 'candidate' in one ? one.candidate.form : one.fault.form, error } };
    return;
  }
}

async function* referring(
  reader: RegistryReader,
  subject: Digest,
  predicateType: string | undefined,
): AsyncGenerator<Found> {
  const referrers = await attempt('referrers', () => reader.referrers(subject));
  if (isFault(referrers)) yield { fault: referrers };
  if (isFault(referrers) || referrers === undefined) return;
  const { list, via } = referrers;
  const others: string[] = [];
  for (const entry of list.manifests) {
    const type = entry.artifactType ?? '';
    if (type.startsWith(BUNDLE_TYPE)) {
      const said = entry.annotations.get(PREDICATE_TYPE);
      // Nobody signs that hint, and it only passes over: a scan attached each day must not bury the one signature.
      if (said === undefined || said === (predicateType ?? COSIGN_SIGN)) {
        yield* layersOf(reader, entry, via === 'api' ? 'bundle' : 'bundle (fallback tag)', subject);
      } else others.push(said);
    } else if (type === SIGNATURE_TYPE && predicateType === undefined) {
      yield* layersOf(reader, entry, 'signature referrer', subject);
    }
  }
  if (others.length > 0) yield { fault: { form: 'referrers', error: passedOver(others, predicateType) } };
}

function passedOver(others: readonly string[], predicateType: string | undefined): SigstoreError {
  const reason = predicateType === undefined ? 'SUBJECT_MISMATCH' : 'ATTESTATION_MISSING';
  const what = predicateType === undefined ? 'no signature of the image' : `none of type ${echo(predicateType)}`;
  return new SigstoreError(reason, `${others.length} attestations such as ${echo(others[0] ?? '')}, ${what}`);
}

async function* layersOf(
  reader: RegistryReader,
  { digest }: Annotated,
  form: Form,
  subject: Digest,
): AsyncGenerator<Found> {
  const manifest = await attempt(form, async () => {
    const found = await reader.manifest(digest);
    if (found === undefined) throw new SigstoreError('METADATA_MISMATCH', `the registry has no manifest ${digest}`);
    if (found.subject?.digest !== subject) {
      throw new SigstoreError('SUBJECT_MISMATCH', `the manifest ${digest} does not refer to this image`);
    }
    return found;
  });
  if (isFault(manifest)) yield { fault: manifest };
  else yield* signaturesIn(reader, manifest, form);
}

async function* tagged(
  reader: RegistryReader,
  subject: Digest,
  ending: '.sig' | '.att',
  form: Form,
): AsyncGenerator<Found> {
  const manifest = await attempt(form, () => reader.tagged(tagOf(subject, ending)));
  if (isFault(manifest)) yield { fault: manifest };
  else if (manifest !== undefined) yield* signaturesIn(reader, manifest, form);
}

/** The last layer first: cosign appends, and the newest signature is the likeliest to satisfy. */
async function* signaturesIn(reader: RegistryReader, manifest: SignatureManifest, form: Form): AsyncGenerator<Found> {
  const bundles = form === 'bundle' || form === 'bundle (fallback tag)';
  const type = bundles ? BUNDLE_TYPE : form === 'attestation tag' ? DSSE_ENVELOPE : SIMPLE_SIGNING;
  const layers = manifest.layers.filter(({ mediaType }) => mediaType.startsWith(type)).reverse();
  // Said, so that it is counted: thousands of manifests with nothing in them would cost as many requests.
  if (layers.length === 0) yield { fault: { form, error: malformed(`the manifest ${manifest.digest}`, type, 'none') } };
  for (const layer of layers) {
    const candidate = await attempt(form, async (): Promise<Candidate> => {
      const blob = await reader.blob(layer);
      const bundle = bundles ? parseBundle(blob) : legacyBundle(layer, blob);
      return { form, manifest: manifest.digest, bundle, artifact: type === SIMPLE_SIGNING ? blob : undefined };
    });
    yield isFault(candidate) ? { fault: candidate } : { candidate };
  }
}

async function attempt<Value extends object | undefined>(
  form: Fault['form'],
  work: () => Promise<Value>,
): Promise<Value | Fault> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SigstoreError || error instanceof SourceUnavailable) return { form, error };
    throw error;
  }
}

function isFault(value: object | undefined): value is Fault {
  return value !== undefined && 'error' in value;
}
