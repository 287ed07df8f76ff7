import { changeRoot, type KeyChange, renewedRoot, type RootChanged, rotatedRoot } from '../../publish/change-root.ts';
import { isOnline, type MadeKey, saveKey } from '../../publish/found.ts';
import { generateKey, type KeyId, type SigningKey } from '../../publish/key.ts';
import { readPublicKeyFile } from '../../publish/keyring.ts';
import { TOP_ROLES, type TopRole } from '../../publish/metadata.ts';
import type { Publishing } from '../../publish/publication.ts';
import { PublishError } from '../../publish/publish-error.ts';
import { refresh } from '../../publish/refresh.ts';
import { signersOfTargets, signTargets } from '../../publish/sign-targets.ts';
import { changing, type KeyOptions, openRepository, outcomeText } from './open-repository.ts';
import { newPassphrase, passphraseFrom } from './passphrase.ts';
import { confirm } from './terminal.ts';
import { keyId } from './tuf-delegate.ts';
import { wholeNumber } from './tuf-init.ts';

export interface RotateOptions extends KeyOptions {
  readonly old?: string;
  readonly new?: string;
  readonly add?: boolean;
  readonly remove?: boolean;
  readonly threshold?: string;
  readonly yes: boolean;
}

/** `docklock tuf rotate ROLE`: another key for a role, by a new root. @returns the exit code */
export async function tufRotate(
  dir: string,
  roleText: string,
  options: RotateOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  const role = topRole(roleText);
  const seen = await openRepository(dir, options);
  const outgoing = await outgoingKey(seen, role, options);
  if (role === 'targets') out.write(`The new key will vouch for what the old one did:\n${imagesText(seen)}`);
  const what =
    outgoing === undefined ? `a new key of ${role}` : `another key of ${role} in place of ${outgoing.slice(0, 8)}`;
  if (
    !(await confirm(
      `Sign a root with ${options.remove === true ? `no key ${outgoing?.slice(0, 8)} of ${role}` : what}?`,
      options.yes,
    ))
  ) {
    out.write('Nothing was changed.\n');
    return 1;
  }
  const threshold = options.threshold === undefined ? undefined : wholeNumber(options.threshold, '--threshold');
  const foreign = options.new === undefined ? undefined : await readPublicKeyFile(options.new);
  const made = foreign === undefined && options.remove !== true ? generateKey() : undefined;
  const passphrase = made === undefined || isOnline(role) ? undefined : await passphraseForNew(options, seen);
  const result = await changing(dir, options, async (publishing) => {
    const change: KeyChange = { role, outgoing, incoming: foreign ?? made?.public, threshold };
    let saved: MadeKey | undefined;
    const save = async () => {
      if (made !== undefined) saved = await saveKey(publishing.folder, role, made, passphrase);
    };
    const changed = await changeRoot(withKey(publishing, made), rotatedRoot(publishing, change), save);
    return { saved, changed };
  });
  out.write(rotatedText(dir, role, result));
  return 0;
}

/** `docklock tuf renew ROLE`: the same, signed for another period. @returns the exit code */
export async function tufRenew(
  dir: string,
  role: string,
  options: KeyOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  const text = await changing(dir, options, async (publishing) => {
    if (role === 'root') return changedText(dir, await changeRoot(publishing, renewedRoot(publishing)));
    if (role === 'snapshot' || role === 'timestamp')
      return outcomeText(dir, await refresh(publishing, { renew: true }));
    const { file } = signersOfTargets(publishing.repository, role);
    if (file === undefined)
      throw new PublishError(`${role} has signed nothing yet: docklock vouch --role ${role} begins it`);
    const { targets, delegations } = file.body;
    return outcomeText(dir, await signTargets(publishing, role, { targets, delegations }));
  });
  out.write(text);
  return 0;
}

function topRole(text: string): TopRole {
  const role = TOP_ROLES.find((name) => name === text);
  if (role !== undefined) return role;
  throw new PublishError(
    `expected root, targets, snapshot or timestamp, got ${JSON.stringify(text.slice(0, 63))}; keys of a delegated role are changed with docklock tuf delegate and undelegate`,
  );
}

async function outgoingKey(
  { repository }: Publishing,
  role: TopRole,
  options: RotateOptions,
): Promise<KeyId | undefined> {
  if (options.old !== undefined) return await keyId(options.old);
  if (options.add === true) return undefined;
  const { keyIds } = repository.root.body.roles[role];
  const [only, ...others] = keyIds;
  if (only !== undefined && others.length === 0) return only;
  throw new PublishError(`${role} has the keys ${keyIds.join(', ')}: say with --old which one goes, or --add`);
}

/** At a terminal the new key gets the passphrase that is typed twice; given by file or environment it is the same for all. */
async function passphraseForNew(options: RotateOptions, { folder }: Publishing): Promise<string> {
  const given = options.passphraseFile !== undefined || process.env.DOCKLOCK_PASSPHRASE !== undefined;
  return given ? await passphraseFrom(options)(folder.path) : await newPassphrase(options);
}

function withKey(publishing: Publishing, made: SigningKey | undefined): Publishing {
  return made === undefined ? publishing : { ...publishing, keyring: publishing.keyring.with(made) };
}

function imagesText({ repository }: Publishing): string {
  const lines = [...repository.targets.body.targets].map(([path, { digest }]) => `  ${path} ${digest}\n`);
  return lines.length === 0 ? '  nothing yet\n' : lines.join('');
}

function rotatedText(
  dir: string,
  role: TopRole,
  { saved, changed }: { saved: MadeKey | undefined; changed: RootChanged },
): string {
  const key = saved === undefined ? '' : `New ${role} key: ${saved.file}\n`;
  const note =
    changed.outcome === 'published'
      ? 'Destroy the key that went, unless it is still needed: no client believes it any more.\n'
      : '';
  return `${key}${changedText(dir, changed)}${note}`;
}

export function changedText(dir: string, changed: RootChanged): string {
  if (changed.outcome !== 'staged') return outcomeText(dir, changed);
  const commands = changed.files.map((file) => `  docklock tuf sign ${file} --key KEY\n`).join('');
  return `Not published yet. It lacks ${changed.lacks.join(', and ')}.\nPass on, to be signed with:\n${commands}`;
}
