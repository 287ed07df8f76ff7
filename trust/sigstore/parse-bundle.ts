import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { isObject, memberOf, parseBoundedJson } from './bounded-json.ts';
import { LOG_ENTRIES_LIMIT, TIMESTAMPS_LIMIT } from './limits.ts';
import { echo, malformed, SigstoreError } from './sigstore-error.ts';

/** sigstore bundle format, "media types". The library would take any version it has never heard of for the newest. */
const MEDIA_TYPES: ReadonlySet<unknown> = new Set([
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
]);

/** @throws SigstoreError METADATA_INVALID: larger than any honest bundle, or not one. */
export function parseBundle(bytes: Uint8Array): Bundle {
  return toBundle(parseBoundedJson(bytes, 'the bundle', 'short'));
}

/** @throws SigstoreError METADATA_INVALID, SIGNATURE_UNSUPPORTED */
export function toBundle(json: unknown): Bundle {
  if (!isObject(json)) throw malformed('the bundle', 'an object', typeof json);
  const { mediaType } = json;
  if (!MEDIA_TYPES.has(mediaType)) {
    throw new SigstoreError(
      'SIGNATURE_UNSUPPORTED',
      `expected a bundle of version 0.1, 0.2 or 0.3, got ${echo(String(mediaType))}`,
    );
  }
  requireOne(json, 'the bundle', ['messageSignature', 'dsseEnvelope']);
  const material = memberOf(json, 'verificationMaterial');
  requireOne(material, 'verificationMaterial', ['publicKey', 'x509CertificateChain', 'certificate']);
  const bundle = fromJson(json);
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps.length ?? 0;
  if (tlogEntries.length > LOG_ENTRIES_LIMIT) {
    throw malformed('the bundle', `at most ${LOG_ENTRIES_LIMIT} log entries`, `${tlogEntries.length}`);
  }
  if (timestamps > TIMESTAMPS_LIMIT) {
    throw malformed('the bundle', `at most ${TIMESTAMPS_LIMIT} timestamps`, `${timestamps}`);
  }
  return bundle;
}

/** With two of them each reader would choose for itself. */
function requireOne(value: unknown, where: string, names: readonly string[]): void {
  const there = names.filter((name) => memberOf(value, name) !== undefined);
  if (there.length !== 1) throw malformed(where, `one of ${names.join(', ')}`, there.join(' and ') || 'none');
}

function fromJson(json: unknown): Bundle {
  try {
    return bundleFromJSON(json);
  } catch (cause) {
    const fields = cause instanceof Error && 'fields' in cause ? ` (${String(cause.fields)})` : '';
    throw new SigstoreError('METADATA_INVALID', `the bundle is malformed${fields}`, { cause });
  }
}
