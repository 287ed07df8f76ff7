import { createHash, type KeyObject } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { SignedEntity } from '@sigstore/verify';
import { isSignedBy } from './public-key.ts';
import { SigstoreError } from './sigstore-error.ts';

/** protobuf-specs, `HashAlgorithm`. Left unsaid, it is SHA-256. */
const HASHES: Readonly<Record<number, string>> = { 0: 'sha256', 1: 'sha256', 2: 'sha384', 3: 'sha512' };

/**
 * What a signature is over, in place of the library's own reading: that one never hashes the artifact it is given, and
 * gives Ed25519 a hash that Node refuses.
 */
export class SignedContent {
  /** The bytes that the signature is over. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** What logs call the digest of the data: of a DSSE envelope its payload's, else that of the signed bytes. */
  readonly #dataDigest: Buffer;
  readonly #signedDigest: Buffer;

  private constructor(signed: Buffer, signature: Buffer, dataDigest: Buffer, signedDigest: Buffer) {
    this.signed = signed;
    this.signature = signature;
    this.#dataDigest = dataDigest;
    this.#signedDigest = signedDigest;
  }

  /**
   * @param artifact what a message signature is over; a DSSE envelope brings its own
   * @throws SigstoreError SUBJECT_MISMATCH when the artifact is not what the bundle says was signed
   */
  static of({ content }: Bundle, artifact: Uint8Array | undefined): SignedContent {
    if (content.$case === 'dsseEnvelope') {
      const { payload, payloadType, signatures } = content.dsseEnvelope;
      // Exactly one is there: `parseBundle` takes no other envelope.
      const signature = signatures[0]?.sig ?? Buffer.alloc(0);
      const signed = preAuthenticationEncoding(payloadType, payload);
      return new SignedContent(signed, signature, hash('sha256', payload), hash('sha256', signed));
    }
    const { messageDigest, signature } = content.messageSignature;
    const algorithm = HASHES[messageDigest.algorithm];
    if (algorithm === undefined) {
      throw new SigstoreError('SIGNATURE_UNSUPPORTED', 'the signature is over a hash that is not supported');
    }
    if (artifact === undefined) {
      throw new SigstoreError('SIGNATURE_UNSUPPORTED', 'the signature is over bytes, not a statement about an image');
    }
    const signed = Buffer.from(artifact);
    const digest = hash(algorithm, signed);
    if (!digest.equals(messageDigest.digest)) {
      throw new SigstoreError('SUBJECT_MISMATCH', 'the signature is for other content');
    }
    return new SignedContent(signed, signature, digest, digest);
  }

  /** For the library: its checks of log entries against this content. */
  forLibrary(): SignedEntity['signature'] {
    return {
      signature: this.signature,
      compareSignature: (other) => this.signature.equals(other),
      compareDigest: (other) => this.#dataDigest.equals(other),
      compareSignedDigest: (other) => this.#signedDigest.equals(other),
      verifySignature: (key) => this.isSignedBy(key),
    };
  }

  isSignedBy(key: KeyObject): boolean {
    return isSignedBy({ key }, this.signed, this.signature);
  }
}

/** DSSE, protocol.md, "Signature Definition". */
function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.byteLength} `),
    type,
    Buffer.from(` ${payload.byteLength} `),
    payload,
  ]);
}

function hash(algorithm: string, bytes: Uint8Array): Buffer {
  return createHash(algorithm).update(bytes).digest();
}
