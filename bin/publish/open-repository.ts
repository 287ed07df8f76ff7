import { Keyring } from '../../publish/keyring.ts';
import { openPublishing, type Published, type Publishing } from '../../publish/publication.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import type { Signed } from '../../publish/sign-targets.ts';
import { type PassphraseOptions, passphraseFrom } from './passphrase.ts';

export interface KeyOptions extends PassphraseOptions {
  /** Key files besides those in the repository's own folders. */
  readonly key?: readonly string[];
}

/** The repository as it is now, and the keys at hand. Nothing is locked: for showing, and for what follows a question. */
export async function openRepository(dir: string, options: KeyOptions): Promise<Publishing> {
  const folder = new RepositoryFolder(dir);
  return await openPublishing(folder, await openKeys(folder, options), new Date());
}

/** Does the work on the repository as it is once nobody else can change it. */
export function changing<Result>(
  dir: string,
  options: KeyOptions,
  work: (publishing: Publishing) => Promise<Result>,
): Promise<Result> {
  return new RepositoryFolder(dir).exclusively(async () => work(await openRepository(dir, options)));
}

export function openKeys(folder: RepositoryFolder, options: KeyOptions): Promise<Keyring> {
  return Keyring.open({
    folders: [folder.onlineKeys, folder.offlineKeys],
    files: options.key ?? [],
    passphrase: passphraseFrom(options),
  });
}

/** What became of a change, for a person: a line or two. */
export function outcomeText(dir: string, result: Published | Signed): string {
  switch (result.outcome) {
    case 'published':
      return `Published: timestamp ${result.timestamp}, snapshot ${result.snapshot}. Clients see it at their next refresh.\n`;
    case 'unchanged':
      return 'Nothing was due.\n';
    case 'waiting':
      return `Signed, and not published yet: the snapshot and timestamp keys are not here.\nBring the folder to where they are and run: docklock tuf refresh ${dir}\n`;
    case 'staged':
      return `Signed, and not published yet: it takes more signatures. Pass the file on, to be signed with:\n  docklock tuf sign ${result.file} --key KEY\n`;
  }
}
