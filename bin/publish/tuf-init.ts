import { found, type Founded, type MadeKey } from '../../publish/found.ts';
import { readPublicKeyFile } from '../../publish/keyring.ts';
import { PublishError } from '../../publish/publish-error.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { DEFAULT_PERIODS, parsePeriod, type Periods } from '../../publish/settings.ts';
import { newPassphrase, type PassphraseOptions } from './passphrase.ts';

export interface InitOptions extends PassphraseOptions {
  readonly rootKeys: string;
  readonly rootThreshold: string;
  readonly rootKey: readonly string[];
  readonly rootExpires?: string;
  readonly targetsExpires?: string;
  readonly snapshotExpires?: string;
  readonly timestampExpires?: string;
}

/** `docklock tuf init DIR`. @returns the exit code */
export async function tufInit(dir: string, options: InitOptions, out: NodeJS.WritableStream): Promise<number> {
  const wish = {
    folder: new RepositoryFolder(dir),
    rootKeys: wholeNumber(options.rootKeys, '--root-keys'),
    rootThreshold: wholeNumber(options.rootThreshold, '--root-threshold'),
    othersRootKeys: await Promise.all(options.rootKey.map(readPublicKeyFile)),
    periods: periodsOf(options),
  };
  const founded = await found({ ...wish, passphrase: await newPassphrase(options), now: new Date() });
  out.write(text(dir, founded, wish.rootThreshold));
  return 0;
}

export function wholeNumber(text: string, option: string): number {
  if (/^[0-9]{1,3}$/.test(text)) return Number(text);
  throw new PublishError(`${option}: expected a whole number, got ${JSON.stringify(text.slice(0, 40))}`);
}

function periodsOf(options: InitOptions): Periods {
  const of = (text: string | undefined, standard: number) => (text === undefined ? standard : parsePeriod(text));
  return {
    root: of(options.rootExpires, DEFAULT_PERIODS.root),
    targets: of(options.targetsExpires, DEFAULT_PERIODS.targets),
    snapshot: of(options.snapshotExpires, DEFAULT_PERIODS.snapshot),
    timestamp: of(options.timestampExpires, DEFAULT_PERIODS.timestamp),
  };
}

const WHAT: Readonly<Record<MadeKey['role'], string>> = {
  root: 'founds the trust and replaces all other keys',
  targets: 'vouches for images',
  snapshot: 'lists what is current; a server signs with it',
  timestamp: 'says that the list is fresh; a server signs with it, often',
};

function text(dir: string, { keys, root, complete }: Founded, threshold: number): string {
  const rows = keys.map(({ role, file }) => `  ${role.padEnd(10)} ${file}\n             ${WHAT[role]}`).join('\n');
  const rootFiles = keys.filter(({ role }) => role === 'root').map(({ file }) => file);
  return `A TUF repository in ${dir}, vouching for nothing yet. Its keys:

${rows}

Put in a safe, away from this machine and each on a medium of its own: ${rootFiles.join(', ') || 'the root keys of the others'}.
  It takes ${threshold} of the root keys to replace a key. With fewer left, no key can be replaced any more: when one is then lost or
  stolen, every client needs a new root file by hand. Make copies.
Keep with whoever vouches: the targets key. Lost: make another with docklock tuf rotate targets --repository ${dir}. Stolen: the thief can vouch for
  anything until you do.
Keep on the server: keys/online, which has no passphrase. Lost: docklock tuf rotate. Stolen: the thief can keep clients at the state
  of today, but not vouch for anything.
The passphrase opens the root and targets keys, and is written down nowhere: without it they are lost.

${complete ? `Clients are given this file, once, over a way that they trust: ${root}` : `The root lacks signatures of others. Pass it to them: docklock tuf sign ${root} --key KEY`}

Next:
  docklock vouch docker.io/library/alpine:3 --repository ${dir} --config docklock.yaml
  docklock tuf serve ${dir} --listen 127.0.0.1:8080
`;
}
