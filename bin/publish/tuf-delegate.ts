import type { KeyId } from '../../publish/key.ts';
import { readPublicKeyFile } from '../../publish/keyring.ts';
import { delegate, undelegate } from '../../publish/delegate.ts';
import { changing, type KeyOptions, outcomeText } from './open-repository.ts';
import { wholeNumber } from './tuf-init.ts';

export interface DelegateOptions extends KeyOptions {
  readonly name?: string;
  readonly threshold?: string;
  readonly terminating?: boolean;
  readonly path: readonly string[];
  readonly before?: string;
}

/** `docklock tuf delegate PATTERN KEY...`. @returns the exit code */
export async function tufDelegate(
  dir: string,
  pattern: string,
  keyFiles: readonly string[],
  options: DelegateOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  const wish = {
    name: options.name,
    paths: [pattern, ...options.path],
    keys: await Promise.all(keyFiles.map(readPublicKeyFile)),
    threshold: options.threshold === undefined ? undefined : wholeNumber(options.threshold, '--threshold'),
    terminating: options.terminating,
    before: options.before,
  };
  const result = await changing(dir, options, (publishing) => delegate(publishing, wish));
  out.write(`The role ${result.name} may vouch for ${wish.paths.join(', ')}.\n${outcomeText(dir, result)}`);
  out.write(
    `It counts from its first signature on:\n  docklock vouch IMAGE --repository ${dir} --role ${result.name} --key FILE\n`,
  );
  return 0;
}

/** `docklock tuf undelegate ROLE [KEY...]`; a key is a file with its public half, or its id. @returns the exit code */
export async function tufUndelegate(
  dir: string,
  name: string,
  keys: readonly string[],
  options: KeyOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  const ids = await Promise.all(keys.map(keyId));
  const result = await changing(dir, options, (publishing) => undelegate(publishing, name, ids));
  const what =
    keys.length === 0 ? `The role ${name} may vouch for nothing any more.` : `${name} has ${keys.length} fewer keys.`;
  out.write(`${what}\n${outcomeText(dir, result)}`);
  if (keys.length > 0) {
    out.write(
      `If only those keys had signed its images, the others must do so now: docklock tuf renew ${name} --repository ${dir} --key FILE\n`,
    );
  }
  return 0;
}

/** A key by its id in hex, or by a file with its public half. */
export async function keyId(text: string): Promise<KeyId> {
  return /^[0-9a-f]{64}$/.test(text) ? (text as KeyId) : (await readPublicKeyFile(text)).id;
}
