import type { Digest } from '../../oci/digest.ts';
import { memberOf } from './bounded-json.ts';
import type { ImageClaim, Subject } from './image-claim.ts';
import type { ContentPolicy } from './policy.ts';
import { echo, SigstoreError } from './sigstore-error.ts';
import { matchesPattern } from './text-pattern.ts';

/** What is asked about: the digest, and the name that policy knows the image under. */
export interface Wanted {
  readonly digest: Digest;
  /** `registry/repository`, filled in; undefined where the policy does not look at it. */
  readonly reference: string | undefined;
}

/**
 * Whether the claim is what the policy asks for, about this image. The library looks at none of it.
 * @throws SigstoreError SUBJECT_MISMATCH, ATTESTATION_MISSING
 */
export function checkClaim(claim: ImageClaim, wanted: Wanted, policy: ContentPolicy): void {
  checkPurpose(claim, policy);
  const subjects = claim.subjects.filter(({ digests }) => digests.includes(wanted.digest));
  // One statement may name the image several times, once for each repository it was pushed to.
  const subject = subjects.find(({ reference }) => isNamed(reference, wanted.reference)) ?? subjects[0];
  if (subject === undefined) {
    const said = claim.subjects[0]?.digests[0] ?? 'nothing';
    throw new SigstoreError('SUBJECT_MISMATCH', `it is for ${echo(said)}, not for this image`);
  }
  checkReference(subject, wanted.reference);
  checkAnnotations(subject, policy.annotations);
  checkPredicate(claim.predicate, policy);
}

/** Else a scanner's report, signed by the right identity, would pass for the release's signature. */
function checkPurpose({ kind, predicateType }: ImageClaim, policy: ContentPolicy): void {
  if (policy.predicateType === undefined) {
    if (kind === 'signature') return;
    const what = `it is an attestation of type ${echo(predicateType ?? '')}, not a signature of the image`;
    throw new SigstoreError('SUBJECT_MISMATCH', what);
  }
  if (predicateType !== policy.predicateType) {
    const got = predicateType === undefined ? 'a plain signature' : `an attestation of type ${echo(predicateType)}`;
    throw new SigstoreError('ATTESTATION_MISSING', `it is ${got}, expected type ${echo(policy.predicateType)}`);
  }
}

/** cosign compares no name: a signature for one repository is good for the same digest in any other. */
function checkReference({ reference }: Subject, wanted: string | undefined): void {
  if (isNamed(reference, wanted)) return;
  const got = reference === undefined ? 'under no name' : `as ${echo(reference)}`;
  throw new SigstoreError('SUBJECT_MISMATCH', `the image was signed ${got}, expected ${echo(wanted ?? '')}`);
}

function isNamed(reference: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || (reference !== undefined && canonical(reference) === canonical(wanted));
}

/** Docker Hub has two names, and its library is implied: what signing tools write depends on how they were called. */
function canonical(reference: string): string {
  const name = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const hub = /^(?:index\.)?docker\.io\/(.+)$/.exec(name)?.[1];
  if (hub === undefined) return name;
  return `docker.io/${hub.includes('/') ? hub : `library/${hub}`}`;
}

function checkAnnotations({ annotations }: Subject, wanted: ReadonlyMap<string, string>): void {
  for (const [name, value] of wanted) {
    const got = memberOf(annotations, name);
    if (got === value) continue;
    const said = got === undefined ? 'none' : echo(String(got));
    throw new SigstoreError('SUBJECT_MISMATCH', `its annotation ${echo(name)} is ${said}, expected ${echo(value)}`);
  }
}

function checkPredicate(predicate: unknown, { predicate: conditions }: ContentPolicy): void {
  for (const [path, pattern] of conditions) {
    const value = path.split('.').reduce<unknown>((at, name) => memberOf(at, name), predicate);
    const text = typeof value === 'object' || value === undefined ? undefined : String(value);
    if (text !== undefined && matchesPattern(pattern, text)) continue;
    const got = text === undefined ? 'none' : echo(text);
    throw new SigstoreError('ATTESTATION_MISSING', `its predicate has ${path} ${got}, expected ${echo(pattern.text)}`);
  }
}
