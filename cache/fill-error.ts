/**
 * `mismatch`: the bytes are not what size and digest say, so they are nobody's.
 * `source`: whoever was to bring them did not; `cause` has its error.
 * `disk`: they could not be stored; serving them without the disk may still work.
 */
export type FillErrorKind = 'mismatch' | 'source' | 'disk';

/** Content did not come to be stored. Nothing of it is kept. */
export class FillError extends Error {
  override readonly name = 'FillError';
  readonly kind: FillErrorKind;

  constructor(kind: FillErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The error as it is when it is a FillError already; anything else is one of this kind, with the error as cause. */
export function asFillError(kind: FillErrorKind, message: string, cause: unknown): FillError {
  if (cause instanceof FillError) return cause;
  return new FillError(kind, `${message}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
