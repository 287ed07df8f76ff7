import type { UndeterminedReason } from '../reason.ts';

/** It could not be found out. Denied as well, but said as what it is. */
export class Undetermined extends Error {
  override readonly name = 'Undetermined';
  readonly reason: UndeterminedReason;
  /** Seconds. */
  readonly retryAfter: number;

  constructor(reason: UndeterminedReason, message: string, retryAfter: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}
