import { readFile } from 'node:fs/promises';
import { messageOf, PublishError } from '../../publish/publish-error.ts';
import { askHidden, isTerminal } from './terminal.ts';

export interface PassphraseOptions {
  /** A file whose first line is the passphrase. */
  readonly passphraseFile?: string;
}

const VARIABLE = 'DOCKLOCK_PASSPHRASE';

/** Shorter ones are guessed however costly each guess is. Characters. */
const LENGTH_LEAST = 8;

/** The passphrase of a key that is there: from the file, the environment, or whoever sits at the terminal. */
export function passphraseFrom(options: PassphraseOptions): (file: string) => Promise<string> {
  return async (file) => (await given(options)) ?? (await ask(`Passphrase of ${file}: `));
}

/** A passphrase for new keys; at the terminal it is asked for twice. @throws PublishError */
export async function newPassphrase(options: PassphraseOptions): Promise<string> {
  const passphrase = (await given(options)) ?? (await askTwice());
  if (passphrase.length >= LENGTH_LEAST) return passphrase;
  throw new PublishError(
    `expected a passphrase of at least ${LENGTH_LEAST} characters, got ${passphrase.length}; nothing was changed`,
  );
}

async function given({ passphraseFile }: PassphraseOptions): Promise<string | undefined> {
  if (passphraseFile === undefined) {
    const value = process.env[VARIABLE];
    return value === '' ? undefined : value;
  }
  try {
    return (await readFile(passphraseFile, 'utf8')).split(/\r?\n/, 1)[0];
  } catch (cause) {
    throw new PublishError(`the passphrase file cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function askTwice(): Promise<string> {
  const first = await ask('Passphrase for the new keys: ');
  if (first === (await ask('The same again: '))) return first;
  throw new PublishError('the two passphrases are not the same; nothing was changed');
}

async function ask(prompt: string): Promise<string> {
  if (isTerminal()) return await askHidden(prompt);
  throw new PublishError(
    `there is no terminal to ask for a passphrase: pass --passphrase-file FILE, or set ${VARIABLE}; nothing was changed`,
  );
}
