import type { RefusalReason } from '../reason.ts';

/** A signature, or what it is to be checked with, is not acceptable. Never an outage: that is `SourceUnavailable`. */
export class SigstoreError extends Error {
  override readonly name = 'SigstoreError';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** METADATA_INVALID, in the form every error of a parser has. */
export function malformed(where: string, expected: string, got: string): SigstoreError {
  return new SigstoreError('METADATA_INVALID', `${where}: expected ${expected}, got ${got}`);
}

/** Longest foreign text echoed in a message: an identity is recognised, a log or a terminal is not flooded. */
const ECHO_LIMIT = 200;

/** Foreign text, quoted and cut. Quoting also disarms control characters meant for a terminal. */
export function echo(text: string): string {
  return JSON.stringify(text.slice(0, ECHO_LIMIT));
}
