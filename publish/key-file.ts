import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  scryptSync,
} from 'node:crypto';
import { derInteger, derOctets, derOid, derSequence } from './der.ts';
import { type PublicKey, publicKeyOf, type SigningKey, signingKeyOf } from './key.ts';
import { PublishError } from './publish-error.ts';

/**
 * OpenSSL opens a key file with at most 32 MiB for scrypt, so N = 2^14 with r = 8 (16 MiB) is the most memory there is; p
 * makes up for it in time: more than the 5 that OWASP's password storage advice asks for with this N.
 */
const SCRYPT = { N: 2 ** 14, r: 8, p: 8 };
const SALT_LENGTH = 16;
const KEY_LENGTH = 32;
const IV_LENGTH = 16;

const OID_PBES2 = '1.2.840.113549.1.5.13';
const OID_SCRYPT = '1.3.6.1.4.1.11591.4.11';
const OID_AES_256_CBC = '2.16.840.1.101.3.4.1.42';

/** A private key as PKCS#8 PEM; RFC 8018 PBES2 with scrypt (RFC 7914) and AES-256-CBC when there is a passphrase. */
export function privateKeyPem({ privateKey }: SigningKey, passphrase: string | undefined): string {
  if (passphrase === undefined) return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const salt = randomBytes(SALT_LENGTH);
  const iv = randomBytes(IV_LENGTH);
  const secret = scryptSync(Buffer.from(passphrase), salt, KEY_LENGTH, SCRYPT);
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const plain = privateKey.export({ format: 'der', type: 'pkcs8' });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const { N, r, p } = SCRYPT;
  const kdf = derSequence(
    derOid(OID_SCRYPT),
    derSequence(derOctets(salt), derInteger(N), derInteger(r), derInteger(p), derInteger(KEY_LENGTH)),
  );
  const scheme = derSequence(derOid(OID_AES_256_CBC), derOctets(iv));
  const der = derSequence(derSequence(derOid(OID_PBES2), derSequence(kdf, scheme)), derOctets(encrypted));
  return pem('ENCRYPTED PRIVATE KEY', der);
}

/** SPKI PEM: what others get to see. */
export function publicKeyPem({ keyObject }: PublicKey): string {
  return keyObject.export({ format: 'pem', type: 'spki' }).toString();
}

/** Whether it takes a passphrase to open this PEM. */
export function isEncrypted(text: string): boolean {
  return text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----') || text.includes('Proc-Type: 4,ENCRYPTED');
}

export function isPrivate(text: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}

/** @throws PublishError for a wrong passphrase, and for what is no private key. */
export function readPrivateKey(text: string, passphrase: string | undefined, file: string): SigningKey {
  if (!isPrivate(text)) throw new PublishError(`${file}: expected a private key in PEM, got something else`);
  const encrypted = isEncrypted(text);
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: text, format: 'pem', ...(encrypted ? { passphrase: passphrase ?? '' } : {}) });
  } catch (cause) {
    const what = encrypted ? 'the passphrase does not open it; nothing was changed, try again' : 'it is damaged';
    throw new PublishError(`${file}: ${what}`, { cause });
  }
  return signingKeyOf(privateKey);
}

/** @throws PublishError for what is no public key. A private one is refused: it must not be handed over. */
export function readPublicKey(text: string, file: string): PublicKey {
  if (isPrivate(text)) {
    throw new PublishError(
      `${file}: expected a public key, got a private one; keep that one to yourself and pass the file that ends in .pub`,
    );
  }
  let keyObject: KeyObject;
  try {
    keyObject = createPublicKey(text);
  } catch (cause) {
    throw new PublishError(`${file}: expected a public key in PEM, got something else`, { cause });
  }
  return publicKeyOf(keyObject);
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
