/**
 * The stable reason codes of a denial: `detail.reason` in an error body, `reason` in `docklock verify --json`.
 * A code is never renamed; docs/errors.md lists all of them, compared by a test.
 */

/** Found out, and not acceptable under the rules. */
export const REFUSAL_REASONS = {
  NO_RULE: 'no policy rule covers the image',
  NOT_SIGNED: 'the authority has no trust data for the repository, or found no signature of the image',
  TAG_NOT_SIGNED: 'the repository is signed, this tag is not',
  DIGEST_NOT_SIGNED: 'no currently signed tag, and no index that was admitted, has this digest',
  SIGNATURE_INVALID: 'a signature, or the number of valid ones, does not satisfy the role',
  KEY_NOT_TRUSTED: 'the root of trust, or the key or certificate of every signature found, is not a trusted one',
  IDENTITY_MISMATCH: 'the image is signed, but not by the identity that is required',
  SUBJECT_MISMATCH: 'the signature found is for other content, for another repository, or no signature of an image',
  SIGNATURE_UNLOGGED: 'the signature, or its certificate, is not in the transparency log that it must be in',
  SIGNATURE_EXPIRED: 'nothing proves that the signature was made in time: its certificate had ended, or it is too old',
  SIGNATURE_UNSUPPORTED: 'the signature is of a kind that cannot be checked',
  ATTESTATION_MISSING: 'there is no attestation of the required type and content',
  METADATA_EXPIRED: 'signed metadata has expired and no newer is published',
  METADATA_ROLLBACK: 'metadata is older than what was already seen',
  METADATA_MISMATCH: 'pieces of metadata do not belong together (hash, length or name)',
  METADATA_INVALID: 'metadata is malformed or larger than any honest one',
  SIGNERS_MISSING: 'a required signer has not signed this tag',
  SIGNERS_DISAGREE: 'required signers signed different digests',
  AUTHORITIES_DISAGREE: 'required authorities vouch for different digests',
  TRUST_STATE_DAMAGED: 'the rollback memory on disk is damaged, so nothing can be proved not to be older',
  CONTENT_MISMATCH: 'the upstream serves other bytes than the signed digest names',
  MANIFEST_INVALID: 'the manifest is malformed, too large or ambiguous',
  NOT_ADMITTED: 'no admitted manifest of this repository lists this content',
} as const;

/** Could not find out. Denied too, but with another status: try again later. */
export const UNDETERMINED_REASONS = {
  TRUST_UNREACHABLE: 'the authority could not be asked and nothing fresh enough is remembered',
  TRUST_STALE: 'trust was last refreshed longer ago than the rule allows',
  TRUST_STATE_UNWRITABLE: 'the rollback memory could not be written, so nothing new may be relied on',
  UPSTREAM_UNREACHABLE: 'the upstream could not be asked what the tag is',
  INTERNAL: 'an unexpected error on the way to the verdict',
} as const;

export type RefusalReason = keyof typeof REFUSAL_REASONS;
export type UndeterminedReason = keyof typeof UNDETERMINED_REASONS;
export type Reason = RefusalReason | UndeterminedReason;
