import { type KeyObject, verify } from 'node:crypto';
import { getPublicKey } from '@tufjs/models/dist/utils/key.js';
import { Fields } from '../metadata/fields.ts';
import { hexDigest } from '../metadata/hex-digest.ts';
import type { Json } from '../metadata/strict-json.ts';

/** Smaller ones can be broken by whoever pays for it. */
const RSA_BITS_LEAST = 2048;

interface Material {
  readonly check: { readonly key: KeyObject; readonly hashAlgorithm?: string | undefined; readonly padding?: number };
  readonly identity: string;
}

/**
 * A public key of the metadata: TUF specification 4.2, "keytype", "scheme" and "keyval". IDs are opaque (TAP 12), so what a key
 * is called says nothing about which key it is. One of an unknown kind is carried along and verifies nothing.
 */
export class Key {
  readonly id: string;
  readonly #type: string;
  readonly #scheme: string;
  readonly #public: string;
  #material: Material | undefined | 'not yet' = 'not yet';

  /** @throws MetadataError METADATA_INVALID */
  constructor(id: string, value: Json, where: string) {
    const fields = new Fields(value, where, ['keytype', 'scheme', 'keyval']);
    this.id = id;
    this.#type = fields.text('keytype');
    this.#scheme = fields.text('scheme');
    const keyval = new Fields(fields.object('keyval'), where, ['public']);
    this.#public = keyval.text('public');
  }

  /** SHA-256 in hex of the key itself: the same for one key under two IDs. Undefined for a key that cannot be used. */
  get identity(): string | undefined {
    return this.#usable()?.identity;
  }

  /** @param signature hex */
  verifies(message: Buffer, signature: string): boolean {
    const material = this.#usable();
    if (material === undefined || !/^(?:[0-9a-fA-F]{2})+$/.test(signature)) return false;
    try {
      return verify(material.check.hashAlgorithm, message, material.check, Buffer.from(signature, 'hex'));
    } catch {
      // A signature of a shape that the algorithm does not know is no signature.
      return false;
    }
  }

  #usable(): Material | undefined {
    if (this.#material === 'not yet') this.#material = this.#read();
    return this.#material;
  }

  #read(): Material | undefined {
    try {
      const check = getPublicKey({ keyType: this.#type, scheme: this.#scheme, keyVal: this.#public }) as
        | Material['check']
        | { readonly key: KeyObject };
      if (!fits(check.key, this.#type)) return undefined;
      return { check, identity: hexDigest('sha256', check.key.export({ type: 'spki', format: 'der' })) };
    } catch {
      // Of a kind or in a form that is not known here: it verifies nothing, and the threshold tells.
      return undefined;
    }
  }
}

/** Type confusion: a key that says it is one kind and is another would be used with another algorithm. */
function fits(key: KeyObject, type: string): boolean {
  if (type === 'ed25519') return key.asymmetricKeyType === 'ed25519';
  if (type !== 'rsa') return key.asymmetricKeyType === 'ec';
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_LEAST;
}
