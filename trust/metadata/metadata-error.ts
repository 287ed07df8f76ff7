import type { EvidenceStep } from '../evidence.ts';
import type { RefusalReason } from '../reason.ts';

/**
 * The trust data is not acceptable. Never an outage: whoever could not be asked throws `MetadataUnavailable` instead.
 * `evidence` is what had been found good before the fault.
 */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
  readonly reason: RefusalReason;
  readonly evidence: readonly EvidenceStep[];

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions & { evidence?: readonly EvidenceStep[] }) {
    super(message, options);
    this.reason = reason;
    this.evidence = options?.evidence ?? [];
  }

  /** The same fault, after these good steps. */
  after(steps: readonly EvidenceStep[]): MetadataError {
    return new MetadataError(this.reason, this.message, { cause: this.cause, evidence: [...steps, ...this.evidence] });
  }
}

/** METADATA_INVALID, in the form every error of a parser has. */
export function malformed(where: string, expected: string, got: string): MetadataError {
  return new MetadataError('METADATA_INVALID', `${where}: expected ${expected}, got ${got}`);
}

/** Longest foreign text echoed in a message: enough to recognise it, too short to flood a log or a terminal. */
const ECHO_LIMIT = 80;

/** Foreign text, quoted and cut. Quoting also disarms control characters meant for a terminal. */
export function echo(text: string): string {
  return JSON.stringify(text.slice(0, ECHO_LIMIT));
}
