import { X509Certificate } from 'node:crypto';
import type { initializeTLog } from '@sigstore/mock';
import { base64 } from './sigstore-bytes.ts';
import type { Json } from './sigstore-json.ts';

type Log = Awaited<ReturnType<typeof initializeTLog>>;

/** Who signed, as a bundle and its log entry show it. */
export type Signer = { readonly key: Buffer } | { readonly certificate: Buffer };

/** What is logged. */
export interface Body {
  readonly kind: 'dsse' | 'hashedrekord';
  readonly payloadHash: Buffer;
  readonly signature: Buffer;
  readonly signer: Signer;
}

/** The entry of a signature in a log of Rekor v1. */
export async function logged(log: Log, { kind, payloadHash, signature, signer }: Body): Promise<object> {
  const hash = { algorithm: 'sha256', value: payloadHash.toString('hex') };
  const verifier = base64(Buffer.from(pemOf(signer)));
  const spec =
    kind === 'dsse'
      ? { payloadHash: hash, signatures: [{ signature: base64(signature), verifier }] }
      : { data: { hash }, signature: { content: base64(signature), publicKey: { content: verifier } } };
  const [entry] = Object.values<Json>(await log.log({ kind, apiVersion: '0.0.1', spec }));
  if (entry?.verification?.inclusionProof === undefined) throw new Error('the mock log gave no proof');
  const { inclusionProof, signedEntryTimestamp = '' } = entry.verification;
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
    kindVersion: { kind, version: '0.0.1' },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(inclusionProof.logIndex),
      rootHash: Buffer.from(inclusionProof.rootHash, 'hex').toString('base64'),
      treeSize: String(inclusionProof.treeSize),
      hashes: [],
      checkpoint: { envelope: inclusionProof.checkpoint },
    },
    canonicalizedBody: entry.body,
  };
}

/** The same in one of Rekor v2. */
export async function loggedV2(log: Log, { kind, payloadHash, signature, signer }: Body): Promise<object> {
  const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
  const verifier =
    'key' in signer
      ? { keyDetails, publicKey: { rawBytes: base64(signer.key) } }
      : { keyDetails, x509Certificate: { rawBytes: base64(signer.certificate) } };
  const digest = { algorithm: 'SHA2_256', digest: base64(payloadHash) };
  const content = base64(signature);
  const spec =
    kind === 'dsse'
      ? { dsseV002: { payloadHash: digest, signatures: [{ content, verifier }] } }
      : { hashedRekordV002: { data: digest, signature: { content, verifier } } };
  const entry: Json = await log.logV2({ kind, apiVersion: '0.0.2', spec } as Json);
  return {
    logIndex: entry.logIndex,
    logId: { keyId: base64(entry.logId.keyId) },
    kindVersion: { kind, version: '0.0.2' },
    // Rekor v2 gives no time; the mock's log says another index than its proof is for.
    integratedTime: '0',
    inclusionProof: {
      logIndex: '0',
      rootHash: base64(entry.inclusionProof.rootHash),
      treeSize: '1',
      hashes: [],
      checkpoint: entry.inclusionProof.checkpoint,
    },
    canonicalizedBody: base64(entry.canonicalizedBody),
  };
}

function pemOf(signer: Signer): string {
  if ('certificate' in signer) return new X509Certificate(signer.certificate).toString();
  return `-----BEGIN PUBLIC KEY-----\n${base64(signer.key)}\n-----END PUBLIC KEY-----\n`;
}
