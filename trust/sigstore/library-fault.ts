import { VerificationError } from '@sigstore/verify';
import { SigstoreError } from './sigstore-error.ts';

/**
 * Whatever was thrown while a signature was checked is a refusal of that signature; the library throws TypeError, RangeError
 * and StreamError too, for bytes that it did not expect. The error itself is kept as the cause.
 */
export function libraryFault(error: unknown): SigstoreError {
  if (error instanceof SigstoreError) return error;
  if (!(error instanceof VerificationError)) {
    return new SigstoreError('SIGNATURE_INVALID', 'it is malformed', { cause: error });
  }
  const said = withoutEnd(error.message);
  switch (error.code) {
    case 'CERTIFICATE_ERROR':
      return certificateFault(error, said);
    case 'TIMESTAMP_ERROR':
      return new SigstoreError('SIGNATURE_EXPIRED', `its time is not proved: ${said}`, { cause: error });
    case 'TLOG_ERROR':
      return new SigstoreError('SIGNATURE_UNLOGGED', `its log entries do not do: ${said}`, { cause: error });
    default:
      return new SigstoreError('SIGNATURE_INVALID', `it is not valid: ${said}`, { cause: error });
  }
}

function certificateFault(error: VerificationError, said: string): SigstoreError {
  const cause: unknown = error.cause;
  const why = cause instanceof Error ? withoutEnd(cause.message) : said;
  if (why.includes('expired')) {
    return new SigstoreError('SIGNATURE_EXPIRED', 'its certificate was not valid when it was made', { cause: error });
  }
  if (why.includes('SCT')) {
    return new SigstoreError('SIGNATURE_UNLOGGED', `its certificate is in no log that is trusted: ${why}`, {
      cause: error,
    });
  }
  return new SigstoreError('KEY_NOT_TRUSTED', `its certificate is not from a trusted CA: ${why}`, { cause: error });
}

/** Our sentences go on. */
function withoutEnd(text: string): string {
  return text.replace(/\.$/, '').slice(0, 200);
}
