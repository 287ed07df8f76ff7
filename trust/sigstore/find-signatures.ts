import type { Bundle } from '@sigstore/bundle';
import type { Digest } from '../../oci/digest.ts';
import { DSSE_ENVELOPE, legacyBundle, SIMPLE_SIGNING } from './legacy-layer.ts';
import { SIGNATURES_LIMIT } from './limits.ts';
import { parseBundle } from './parse-bundle.ts';
import { type RegistryReader, tagOf } from './registry-reader.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';
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

/**
 * Everything that might be a signature or attestation of the digest, one after the other, so that whoever is satisfied stops
 * asking: newer forms first. A fault in one form hides nothing of another.
 */
export async function* findSignatures(
  reader: RegistryReader,
  subject: Digest,
  wanted: 'signatures' | 'attestations',
): AsyncGenerator<Found> {
  const bounded = new Bound();
  yield* bounded.of(referring(reader, subject, wanted));
  if (wanted === 'signatures') yield* bounded.of(tagged(reader, subject, '.sig', 'signature tag'));
  else yield* bounded.of(tagged(reader, subject, '.att', 'attestation tag'));
}

/** What is past the limit is not looked at, and that is said: it could at most have been one more reason to admit. */
class Bound {
  #count = 0;

  async *of(found: AsyncGenerator<Found>): AsyncGenerator<Found> {
    for await (const one of found) {
      this.#count += 1;
      if (this.#count <= SIGNATURES_LIMIT) {
        yield one;
        continue;
      }
      const error = malformed('the signatures of one image', `at most ${SIGNATURES_LIMIT}`, 'more');
      yield { fault: { form: 'candidate' in one ? one.candidate.form : one.fault.form, error } };
      return;
    }
  }
}

async function* referring(
  reader: RegistryReader,
  subject: Digest,
  wanted: 'signatures' | 'attestations',
): AsyncGenerator<Found> {
  const referrers = await attempt('referrers', () => reader.referrers(subject));
  if (isFault(referrers)) yield { fault: referrers };
  if (isFault(referrers) || referrers === undefined) return;
  const { list, via } = referrers;
  for (const entry of list.manifests) {
    const type = entry.artifactType ?? '';
    if (type.startsWith(BUNDLE_TYPE)) {
      yield* layersOf(reader, entry, via === 'api' ? 'bundle' : 'bundle (fallback tag)', subject);
    } else if (type === SIGNATURE_TYPE && wanted === 'signatures') {
      yield* layersOf(reader, entry, 'signature referrer', subject);
    }
  }
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
