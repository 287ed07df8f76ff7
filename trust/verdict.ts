import type { Digest } from '../oci/digest.ts';
import type { EvidenceStep } from './evidence.ts';
import type { RefusalReason, UndeterminedReason } from './reason.ts';

/** The image is what its publisher meant, now. Bound to a digest, never to a tag. */
export interface Admitted {
  readonly outcome: 'admitted';
  readonly digest: Digest;
  /** Size in bytes that signed metadata gives for the manifest. */
  readonly size?: number;
  readonly rule: string;
  readonly evidence: readonly EvidenceStep[];
  /** After this moment the verdict must be found anew. */
  readonly validUntil: Date;
  /** In a rule with `mode: warn`: what would have been answered under `enforce`. */
  readonly warning?: Denied;
}

export interface Refused {
  readonly outcome: 'refused';
  readonly reason: RefusalReason;
  readonly message: string;
  readonly rule?: string;
  readonly authority?: string;
  readonly evidence: readonly EvidenceStep[];
}

export interface Undetermined {
  readonly outcome: 'undetermined';
  readonly reason: UndeterminedReason;
  readonly message: string;
  readonly rule?: string;
  readonly authority?: string;
  /** Seconds after which asking again may help. */
  readonly retryAfter: number;
  readonly evidence: readonly EvidenceStep[];
}

export type Denied = Refused | Undetermined;
export type Verdict = Admitted | Denied;

/** Seconds a client is asked to wait when nobody said better. */
export const DEFAULT_RETRY_AFTER = 10;

export function refused(
  reason: RefusalReason,
  message: string,
  more: Partial<Pick<Refused, 'rule' | 'authority' | 'evidence'>> = {},
): Refused {
  return { outcome: 'refused', reason, message, evidence: [], ...more };
}

export function undetermined(
  reason: UndeterminedReason,
  message: string,
  more: Partial<Pick<Undetermined, 'rule' | 'authority' | 'evidence' | 'retryAfter'>> = {},
): Undetermined {
  return { outcome: 'undetermined', reason, message, evidence: [], retryAfter: DEFAULT_RETRY_AFTER, ...more };
}
