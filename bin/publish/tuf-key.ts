import { open } from 'node:fs/promises';
import { generateKey } from '../../publish/key.ts';
import { privateKeyPem, publicKeyPem } from '../../publish/key-file.ts';
import { publicFile } from '../../publish/keyring.ts';
import { messageOf, PublishError } from '../../publish/publish-error.ts';
import { newPassphrase, type PassphraseOptions } from './passphrase.ts';

/** `docklock tuf key FILE`: a key pair for a collaborator, who keeps one half and hands over the other. @returns the exit code */
export async function tufKey(file: string, options: PassphraseOptions, out: NodeJS.WritableStream): Promise<number> {
  const key = generateKey();
  await writeNew(file, privateKeyPem(key, await newPassphrase(options)), 0o600);
  await writeNew(publicFile(file), publicKeyPem(key.public), 0o644);
  out.write(`${file}: your private key, opened by the passphrase. Keep it, and a copy; hand it to nobody.
${publicFile(file)}: the public half. Hand it to who runs the repository, who lets it vouch with:
  docklock tuf delegate 'docker.io/acme/*' ${publicFile(file)}
Key id: ${key.public.id}
`);
  return 0;
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new PublishError(`${path} cannot be written as a new file: ${messageOf(cause)}`, { cause });
  }
}
