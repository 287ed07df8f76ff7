import type { Digest } from '../oci/digest.ts';
import type { ImageName, Reference, Tag } from '../oci/reference.ts';
import type { EvidenceStep } from './evidence.ts';
import type { RefusalReason, UndeterminedReason } from './reason.ts';
import type { AuthorityStatus } from './status.ts';

/** One question to an authority. All of one decision uses one `now`. */
export interface Question {
  readonly name: ImageName;
  readonly reference: Reference;
  readonly now: Date;
  /** The oldest successful refresh the rule accepts, in milliseconds. */
  readonly maxAge: number;
}

/** The authority's word, with when it stops being good: `validUntil` is the earliest expiry among what it rests on. */
export interface Vouched {
  readonly outcome: 'vouched';
  /** The digest the reference means now. For a digest question: that digest, a current signed target. */
  readonly digest: Digest;
  /** Size in bytes of the signed manifest, where the metadata says one. */
  readonly size?: number;
  /** Last time the authority's metadata was fetched and found good; where metadata says that it lives (a TUF timestamp), when that was first seen. */
  readonly refreshedAt: Date;
  readonly validUntil: Date;
  /** Changes whenever the trusted metadata does: verdicts kept under another version are judged again. */
  readonly stateVersion: string;
  /** When the signature was made, where that is proved: what tells an older image from a newer one under the same tag. */
  readonly signedAt?: Date;
  readonly evidence: readonly EvidenceStep[];
}

export interface NotVouched {
  readonly outcome: 'refused';
  readonly reason: RefusalReason;
  /** One sentence, for a person: what is wrong. Without the image's name and without advice, which are added later. */
  readonly message: string;
  readonly evidence: readonly EvidenceStep[];
}

export interface Unknown {
  readonly outcome: 'undetermined';
  readonly reason: UndeterminedReason;
  readonly message: string;
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number;
  readonly evidence: readonly EvidenceStep[];
}

export type Finding = Vouched | NotVouched | Unknown;

/** Like `Question`, about all that is signed in a repository. */
export type TargetsQuestion = Omit<Question, 'reference'>;

/** What signed metadata maps to a digest now. */
export interface SignedTarget {
  /** Undefined of what is signed under its digest. */
  readonly tag: Tag | undefined;
  readonly digest: Digest;
}

/** What signed metadata names in a repository now, all of one state of it. */
export interface SignedTargets {
  readonly outcome: 'listed';
  /** As in `Vouched`: while it is the same, so is the list, but for what expires. */
  readonly stateVersion: string;
  /** Each tag once, as a pull of it would resolve, and what is signed without one; the likeliest to be asked for first. Made as it is read, since there may be 100,000. */
  readonly targets: Iterable<SignedTarget>;
}

/** Who may vouch. `judge` never throws for bad trust data and never admits on an exception: trouble is a finding. */
export interface Authority {
  /** The name the configuration gives it. */
  readonly name: string;
  /**
   * `resolves`: signed metadata maps a tag to a digest. `attests`: a signature covers a digest, so the upstream
   * is asked for the tag's digest first.
   */
  readonly way: 'resolves' | 'attests';
  judge(question: Question): Promise<Finding>;
  /**
   * Only of an authority that resolves: what it names now. A list of where to look, which admits nothing: whatever is found
   * through it is judged in the ordinary way. Never throws for bad trust data, as `judge`.
   */
  signedTargets?(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown>;
  /** How its trust stands, from memory: asks nobody and never throws. */
  status(): AuthorityStatus;
  /**
   * Has `status` know what is kept on disk as well, for an authority that otherwise reads it when it is asked. Changes
   * nothing, asks nobody. @throws the disk's errors
   */
  recall?(): Promise<void>;
  /** Stops background work. */
  close(): Promise<void>;
}
