import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './disk.ts';
import type { KeyId, PublicKey, SigningKey } from './key.ts';
import { isEncrypted, isPrivate, readPrivateKey, readPublicKey } from './key-file.ts';
import type { RoleKeys } from './metadata.ts';
import { messageOf, PublishError } from './publish-error.ts';

/** Asks whoever sits there, or reads it from where it was put. `file` is the key file to be opened. */
export type AskPassphrase = (file: string) => Promise<string>;

interface KeyFile {
  readonly file: string;
  readonly text: string;
  /** Known before it is opened where its public half lies beside it. */
  readonly id: KeyId | undefined;
  key: SigningKey | undefined;
}

/** The private keys at hand. Each is opened only when a signature of it is needed. */
export class Keyring {
  readonly #files: readonly KeyFile[];
  readonly #passphrase: AskPassphrase;
  readonly #known = new Set<string>();

  private constructor(files: readonly KeyFile[], passphrase: AskPassphrase) {
    this.#files = files;
    this.#passphrase = passphrase;
  }

  /** @throws PublishError for a named file that is no private key; what lies in the folders besides keys is left alone. */
  static async open(options: {
    readonly folders: readonly string[];
    readonly files?: readonly string[];
    readonly passphrase: AskPassphrase;
  }): Promise<Keyring> {
    const named = await Promise.all((options.files ?? []).map(readKeyFile));
    const found = await Promise.all(options.folders.map(pemFiles));
    return new Keyring([...named, ...(await Promise.all(found.flat().map(readKeyFile)))], options.passphrase);
  }

  /** These keys too. */
  with(...keys: readonly SigningKey[]): Keyring {
    const made = keys.map((key) => ({ file: 'a new key', text: '', id: key.public.id, key }));
    return new Keyring([...made, ...this.#files], this.#passphrase);
  }

  /** Those of the role's keys that are at hand, no more than it takes. @throws PublishError for a wrong passphrase */
  async signers(role: RoleKeys): Promise<readonly SigningKey[]> {
    const signers: SigningKey[] = [];
    for (const file of this.#files) {
      if (signers.length >= role.threshold) break;
      if (file.id !== undefined && !role.keyIds.includes(file.id)) continue;
      const key = await this.#opened(file);
      const known = signers.some((signer) => signer.public.id === key.public.id);
      if (role.keyIds.includes(key.public.id) && !known) signers.push(key);
    }
    return signers;
  }

  async #opened(file: KeyFile): Promise<SigningKey> {
    file.key ??= isEncrypted(file.text) ? await this.#decrypted(file) : readPrivateKey(file.text, undefined, file.file);
    if (file.id !== undefined && file.id !== file.key.public.id) {
      throw new PublishError(`${publicFile(file.file)} is not the public half of ${file.file}: remove it`);
    }
    return file.key;
  }

  /** Keys often have one passphrase: what has opened one is tried on the next before anybody is asked. */
  async #decrypted({ file, text }: KeyFile): Promise<SigningKey> {
    for (const passphrase of this.#known) {
      try {
        return readPrivateKey(text, passphrase, file);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
      }
    }
    const passphrase = await this.#passphrase(file);
    const key = readPrivateKey(text, passphrase, file);
    this.#known.add(passphrase);
    return key;
  }
}

/** Where the public half of a private key lies. */
export function publicFile(file: string): string {
  return file.replace(/(?:\.pem)?$/, '.pub');
}

/** @throws PublishError */
export async function readPublicKeyFile(file: string): Promise<PublicKey> {
  return readPublicKey(await textOf(file), file);
}

async function readKeyFile(file: string): Promise<KeyFile> {
  const text = await textOf(file);
  if (!isPrivate(text)) throw new PublishError(`${file}: expected a private key in PEM, got something else`);
  return { file, text, id: await idBeside(file), key: undefined };
}

async function idBeside(file: string): Promise<KeyId | undefined> {
  try {
    return readPublicKey(await readFile(publicFile(file), 'utf8'), publicFile(file)).id;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function pemFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => name.endsWith('.pem'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PublishError(`the key file ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
