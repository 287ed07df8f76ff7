import { join } from 'node:path';
import type { KeyId, PublicKey } from './key.ts';
import type { Keyring } from './keyring.ts';
import type { Repository } from './load-repository.ts';
import type { Root, RoleKeys, Targets, TargetsRole } from './metadata.ts';
import { type Published, publish, type Publishing } from './publication.ts';
import { PublishError } from './publish-error.ts';
import { type FileName, fileName, type RepositoryFolder } from './repository-folder.ts';
import { addSignatures, isSignedBy, readFile, type SignedFile, signersOf } from './signed-file.ts';

/** A new root or list of images that waits for signatures, or for the keys of a server. */
export type StagedFile = { readonly name: FileName } & (
  | { readonly kind: 'root'; readonly file: SignedFile<Root> }
  | { readonly kind: 'targets'; readonly file: SignedFile<Targets> }
);

/** Whose signatures a staged file takes: every one of these groups must reach its threshold. */
export interface Signatories {
  readonly who: string;
  readonly role: RoleKeys;
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
}

export function parseStaged(bytes: Uint8Array, name: FileName, where: string): StagedFile {
  const staged: StagedFile =
    name.role === 'root'
      ? { name, kind: 'root', file: readFile(bytes, 'root', where) }
      : { name, kind: 'targets', file: readFile(bytes, 'targets', where) };
  if (staged.file.body.version === name.version) return staged;
  throw new PublishError(
    `${where}: expected version ${name.version}, as it is called, got ${staged.file.body.version}`,
  );
}

export async function loadStaged(folder: RepositoryFolder): Promise<readonly StagedFile[]> {
  const files: StagedFile[] = [];
  for (const name of await folder.stagedNames()) {
    const text = fileName(name.role, name.version);
    const bytes = await folder.readStaged(text);
    if (bytes !== undefined) files.push(parseStaged(bytes, name, join(folder.staged, text)));
  }
  return files;
}

/** A new root takes the old root's keys and its own; TUF 1.0, "5.3. Update the root role". */
export function rootSignatories(previous: Root | undefined, next: Root): readonly Signatories[] {
  const own = { who: 'the new root keys', role: next.roles.root, keys: next.keys };
  if (previous === undefined) return [own];
  return [{ who: `the root keys of version ${previous.version}`, role: previous.roles.root, keys: previous.keys }, own];
}

export function targetsSignatories(name: TargetsRole, root: Root, { delegations }: Targets): readonly Signatories[] {
  if (name === 'targets') return [{ who: 'the targets keys', role: root.roles.targets, keys: root.keys }];
  const role = delegations.roles.find((delegation) => delegation.name === name);
  if (role === undefined)
    throw new PublishError(`${name} is no role of this repository any more: remove the staged file`);
  return [{ who: `the keys of ${name}`, role, keys: delegations.keys }];
}

export function isComplete({ file }: StagedFile, signatories: readonly Signatories[]): boolean {
  return signatories.every(({ role, keys }) => isSignedBy(file, role, keys));
}

/** A sentence for each group whose threshold is not met. */
export function lacking({ file }: StagedFile, signatories: readonly Signatories[]): string[] {
  return signatories.flatMap(({ who, role, keys }) => {
    const signed = signersOf(file, role, keys);
    if (signed.length >= role.threshold) return [];
    const left = role.keyIds.filter((id) => !signed.includes(id)).map((id) => id.slice(0, 8));
    return [`${role.threshold - signed.length} more of ${who} (${left.join(', ')})`];
  });
}

/** Adds the signatures of the keys at hand that may sign it. @throws PublishError when none may */
export async function signStaged(
  staged: StagedFile,
  signatories: readonly Signatories[],
  keyring: Keyring,
): Promise<StagedFile> {
  const ids = signatories.flatMap(({ role }) => role.keyIds).filter((id) => !staged.file.signatures.has(id));
  const keyIds = [...new Set(ids)];
  const signers = await keyring.signers({ keyIds, threshold: keyIds.length });
  if (signers.length === 0 && !isComplete(staged, signatories)) {
    const left = keyIds.map((id) => id.slice(0, 8)).join(', ');
    throw new PublishError(
      `none of the keys at hand may sign this, or they have already (it takes ${left}): pass another with --key FILE; nothing was changed`,
    );
  }
  return withFile(
    staged,
    signers.length === 0 ? staged.file : addSignatures(staged.file as SignedFile<Root | Targets>, signers),
  );
}

/** The same file with the signatures that a copy of it brings. @throws PublishError when it is another file */
export function mergeStaged(staged: StagedFile, copy: StagedFile): StagedFile {
  if (!isSame(staged, copy)) {
    throw new PublishError('the two files do not say the same: they are of different changes; nothing was changed');
  }
  const { file } = staged;
  const signatures = new Map([...copy.file.signatures, ...file.signatures]);
  return withFile(staged, addSignatures({ ...(file as SignedFile<Root | Targets>), signatures }, []));
}

/**
 * Publishes what is staged and complete; a new root together with the targets that its new keys signed. @returns undefined when
 * nothing is ready
 */
export async function publishStaged(publishing: Publishing): Promise<Published | undefined> {
  const { folder, repository } = publishing;
  const staged = await waiting(folder);
  const root = staged.flatMap((one) => (one.kind === 'root' && isNext(repository, one) ? [one] : []))[0];
  const newRoot =
    root !== undefined && isComplete(root, rootSignatories(repository.root.body, root.file.body))
      ? root.file
      : undefined;
  const under = newRoot?.body ?? repository.root.body;
  // Targets that are staged for the keys of a coming root come with it, even where the old key has signed them too.
  const early = newRoot === undefined && root !== undefined && changesTargets(repository.root.body, root.file.body);
  const ready = early ? staged.filter(({ name }) => name.role !== 'targets') : staged;
  const files = readyFiles(repository, ready, under);
  const targets = files.get('targets') ?? repository.targets;
  if (newRoot !== undefined && !isSignedBy(targets, under.roles.targets, under.keys)) return undefined;
  if (newRoot === undefined && files.size === 0) return undefined;
  const published = await publish(publishing, { ...(newRoot === undefined ? {} : { root: newRoot }), files });
  if (published.outcome === 'waiting' && newRoot !== undefined) return published;
  for (const [role, { body }] of files) await folder.unstage(fileName(role, body.version));
  if (newRoot !== undefined) await folder.unstage(fileName('root', newRoot.body.version));
  return published;
}

/** What is staged, without what a crash left there after it was published. */
async function waiting(folder: RepositoryFolder): Promise<readonly StagedFile[]> {
  const left: StagedFile[] = [];
  for (const staged of await loadStaged(folder)) {
    const name = fileName(staged.name.role, staged.name.version);
    const published = await folder.findMetadata(name);
    const same = published !== undefined && isSame(staged, parseStaged(published, staged.name, name));
    if (same) await folder.unstage(name);
    else left.push(staged);
  }
  return left;
}

function isSame(one: StagedFile, other: StagedFile): boolean {
  return Buffer.compare(one.file.message, other.file.message) === 0;
}

function readyFiles(
  repository: Repository,
  staged: readonly StagedFile[],
  root: Root,
): ReadonlyMap<TargetsRole, SignedFile<Targets>> {
  const files = new Map<TargetsRole, SignedFile<Targets>>();
  for (const one of staged) {
    if (one.kind !== 'targets' || !isNext(repository, one)) continue;
    if (isComplete(one, targetsSignatories(one.name.role, root, repository.targets.body)))
      files.set(one.name.role, one.file);
  }
  return files;
}

/** Whether it still fits: nobody has published another version since it was made. */
export function isNext({ highest, root }: Repository, { name, kind }: StagedFile): boolean {
  return name.version === (kind === 'root' ? root.body.version : (highest.get(name.role) ?? 0)) + 1;
}

/** Whether today's list of images must be signed by other keys before clients with the new root believe it. */
export function changesTargets({ roles: { targets: old } }: Root, { roles: { targets } }: Root): boolean {
  return old.threshold !== targets.threshold || old.keyIds.join() !== targets.keyIds.join();
}

function withFile(staged: StagedFile, file: SignedFile<Root | Targets>): StagedFile {
  return { ...staged, file } as StagedFile;
}
