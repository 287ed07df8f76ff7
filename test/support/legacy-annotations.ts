import { X509Certificate } from 'node:crypto';
import type { Json } from './sigstore-json.ts';

/** What a bundle says of its signer, as cosign 1 and 2 wrote it beside a layer. */
export function legacyAnnotations(material: Json): Record<string, string> {
  const [entry] = material.tlogEntries;
  const [timestamp] = material.timestampVerificationData.rfc3161Timestamps;
  const certificate = material.certificate?.rawBytes;
  const rekor = entry && {
    SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  };
  return {
    ...(certificate === undefined
      ? {}
      : { 'dev.sigstore.cosign/certificate': new X509Certificate(Buffer.from(certificate, 'base64')).toString() }),
    ...(rekor === undefined ? {} : { 'dev.sigstore.cosign/bundle': JSON.stringify(rekor) }),
    ...(timestamp === undefined
      ? {}
      : {
          'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: timestamp.signedTimestamp }),
        }),
  };
}
