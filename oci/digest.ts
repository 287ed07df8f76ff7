import { createHash, type Hash } from 'node:crypto';
import { RegistryError } from './registry-error.ts';

declare const brand: unique symbol;

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. Only `parseDigest` and `digestOf` make one. */
export type Digest = string & { readonly [brand]: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Longest text echoed back in an error: enough to recognise a typing mistake, too short to flood a log. */
const ECHO_LIMIT = 80;

/** @throws RegistryError DIGEST_INVALID unless the text is a digest with an algorithm we can check. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new RegistryError(
      'DIGEST_INVALID',
      `expected sha256:<64 hex digits> or sha512:<128 hex digits>, got ${JSON.stringify(text.slice(0, ECHO_LIMIT))}`,
    );
  }
  return text;
}

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(algorithmOf(digest).length + 1);
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Whether these bytes are what the digest names, under the digest's own algorithm. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  return digestOf(bytes, algorithmOf(digest)) === digest;
}

/** A running hash in the algorithm of a digest; `digest()` once, at the end. */
export class DigestHash {
  readonly #hash: Hash;
  readonly #algorithm: DigestAlgorithm;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}
