import { algorithmOf, type Digest, DigestHash } from '../oci/digest.ts';
import { FillError } from './fill-error.ts';

/** What content must turn out to be. `size` in bytes. */
export interface Expected {
  readonly digest: Digest;
  readonly size: number;
}

/** The one place where bytes under way are compared with their size and digest. */
export class ContentCheck {
  readonly #expected: Expected;
  readonly #hash: DigestHash;
  #seen = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#hash = new DigestHash(algorithmOf(expected.digest));
  }

  /** Whether as many bytes came as there should be: the last of them is the one to hold back. */
  get full(): boolean {
    return this.#seen === this.#expected.size;
  }

  /** @throws FillError mismatch as soon as there is one byte too many: an endless body stops here. */
  update(bytes: Uint8Array): void {
    const { digest, size } = this.#expected;
    this.#seen += bytes.length;
    if (this.#seen > size) throw new FillError('mismatch', `expected ${size} bytes of ${digest}, got more`);
    this.#hash.update(bytes);
  }

  /** Once, after the last byte. @throws FillError mismatch unless size and digest agree. */
  finish(): void {
    const { digest, size } = this.#expected;
    if (this.#seen !== size) {
      throw new FillError('mismatch', `expected ${size} bytes of ${digest}, got ${this.#seen}`);
    }
    const actual = this.#hash.digest();
    if (actual !== digest) throw new FillError('mismatch', `expected ${digest}, got bytes of ${actual}`);
  }
}
