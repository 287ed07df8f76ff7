import { createHash, X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { memberOf, parseBoundedJson, textOf } from './bounded-json.ts';
import { toBundle } from './parse-bundle.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';
import type { Annotated } from './signature-manifest.ts';

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const DSSE_ENVELOPE = 'application/vnd.dsse.envelope.v1+json';

/** Two prefixes, as cosign has them. */
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const REKOR_BUNDLE = 'dev.sigstore.cosign/bundle';
const TIMESTAMP = 'dev.sigstore.cosign/rfc3161timestamp';

/**
 * A layer of a `.sig` or `.att` manifest as a bundle of version 0.1: from here on, all forms are one. Of the certificate
 * chain only the leaf is taken; what it leads to is the trusted root's to say.
 * @param blob the layer's bytes, which have its digest
 * @throws SigstoreError METADATA_INVALID, SIGNATURE_UNSUPPORTED
 */
export function legacyBundle({ mediaType, annotations }: Annotated, blob: Uint8Array): Bundle {
  const signed = mediaType === SIMPLE_SIGNING ? messageOf(annotations, blob) : envelopeOf(blob);
  const rekor = annotations.get(REKOR_BUNDLE);
  const timestamp = annotations.get(TIMESTAMP);
  return toBundle({
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      ...signerOf(annotations.get(CERTIFICATE)),
      tlogEntries: rekor === undefined || rekor === '' ? [] : [logEntryOf(rekor)],
      timestampVerificationData: { rfc3161Timestamps: timestamp ? [timestampOf(timestamp)] : [] },
    },
    ...signed,
  });
}

function messageOf(annotations: ReadonlyMap<string, string>, payload: Uint8Array): object {
  const signature = annotations.get(SIGNATURE);
  if (!signature) throw malformed('a signature layer', `the annotation ${SIGNATURE}`, 'none');
  const digest = createHash('sha256').update(payload).digest('base64');
  return { messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature } };
}

function envelopeOf(blob: Uint8Array): object {
  return { dsseEnvelope: parseBoundedJson(blob, 'the DSSE envelope', 'short') };
}

function signerOf(pem: string | undefined): object {
  if (pem === undefined || pem === '') return { publicKey: { hint: '' } };
  try {
    const rawBytes = new X509Certificate(pem).raw.toString('base64');
    return { x509CertificateChain: { certificates: [{ rawBytes }] } };
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', `the annotation ${CERTIFICATE} is no certificate`, { cause });
  }
}

/** What Rekor gave cosign when it signed: a promise, no proof. Its kind is in its body only. */
function logEntryOf(annotation: string): object {
  const rekor = annotationJson(annotation, REKOR_BUNDLE);
  const payload = memberOf(rekor, 'Payload');
  const canonicalizedBody = textOf(memberOf(payload, 'body'), 'body of the log entry');
  const body = parseBoundedJson(Buffer.from(canonicalizedBody, 'base64'), 'the body of the log entry', 'short');
  return {
    logIndex: wholeNumber(memberOf(payload, 'logIndex'), 'logIndex'),
    integratedTime: wholeNumber(memberOf(payload, 'integratedTime'), 'integratedTime'),
    logId: { keyId: Buffer.from(textOf(memberOf(payload, 'logID'), 'logID'), 'hex').toString('base64') },
    kindVersion: { kind: memberOf(body, 'kind'), version: memberOf(body, 'apiVersion') },
    inclusionPromise: { signedEntryTimestamp: textOf(memberOf(rekor, 'SignedEntryTimestamp'), 'SignedEntryTimestamp') },
    canonicalizedBody,
  };
}

function timestampOf(annotation: string): object {
  const said = memberOf(annotationJson(annotation, TIMESTAMP), 'SignedRFC3161Timestamp');
  return { signedTimestamp: textOf(said, 'SignedRFC3161Timestamp') };
}

function annotationJson(annotation: string, name: string): unknown {
  return parseBoundedJson(Buffer.from(annotation), `the annotation ${name}`, 'short');
}

function wholeNumber(value: unknown, where: string): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed(where, 'a whole number', typeof value);
  return String(value);
}
