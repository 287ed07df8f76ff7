import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describeChange } from '../../publish/describe-change.ts';
import { loadRepository, loadRoots, type Repository } from '../../publish/load-repository.ts';
import type { Root } from '../../publish/metadata.ts';
import { messageOf, PublishError } from '../../publish/publish-error.ts';
import { type FileName, fileName, parseFileName, RepositoryFolder } from '../../publish/repository-folder.ts';
import {
  isNext,
  lacking,
  mergeStaged,
  parseStaged,
  publishStaged,
  rootSignatories,
  type Signatories,
  type StagedFile,
  signStaged,
  targetsSignatories,
} from '../../publish/staged.ts';
import { type KeyOptions, openKeys, outcomeText } from './open-repository.ts';
import { confirm } from './terminal.ts';

export interface SignOptions extends KeyOptions {
  readonly with: readonly string[];
  readonly yes: boolean;
}

interface Context {
  readonly folder: RepositoryFolder;
  /** Undefined before the founding is complete. */
  readonly repository: Repository | undefined;
  readonly staged: StagedFile;
  readonly signatories: readonly Signatories[];
}

/** `docklock tuf sign DIR/staged/N.ROLE.json`: shows it, asks, adds signatures, and publishes it when that is enough. @returns the exit code */
export async function tufSign(file: string, options: SignOptions, out: NodeJS.WritableStream): Promise<number> {
  const seen = await openStaged(file);
  out.write(
    describeChange(seen.staged, seen.repository)
      .map((line) => `${line}\n`)
      .join(''),
  );
  if (!(await confirm('Sign this?', options.yes))) {
    out.write('Nothing was signed.\n');
    return 1;
  }
  await seen.folder.exclusively(async () => {
    const context = await openStaged(file);
    if (Buffer.compare(context.staged.file.message, seen.staged.file.message) !== 0) {
      throw new PublishError('the file was changed while you were asked; nothing was signed, look again');
    }
    out.write(await signInPlace(context, options));
  });
  return 0;
}

async function signInPlace(
  { folder, repository, staged, signatories }: Context,
  options: SignOptions,
): Promise<string> {
  const keyring = await openKeys(folder, options);
  let merged = staged;
  for (const copy of options.with) merged = mergeStaged(merged, parseStaged(await bytesOf(copy), staged.name, copy));
  const signed = await signStaged(merged, signatories, keyring);
  const path = await folder.stage(fileName(signed.name.role, signed.name.version), signed.file.bytes);
  const lacks = lacking(signed, signatories);
  if (lacks.length > 0) return `Signed. It still lacks ${lacks.join(', and ')}: pass ${path} on.\n`;
  if (repository === undefined) {
    await folder.addMetadata(fileName('root', signed.name.version), signed.file.bytes);
    await folder.unstage(fileName('root', signed.name.version));
    return `The repository is founded. Clients are given this file: ${join(folder.metadata, fileName('root', signed.name.version))}\n`;
  }
  const published = await publishStaged({
    folder,
    repository,
    keyring,
    periods: await folder.periods(),
    now: new Date(),
  });
  if (published === undefined)
    return `Signed by all. It waits for the other files in ${folder.staged} to be signed too; if there are none, the\nlist of images has changed since: make the change again.\n`;
  return `Signed by all.\n${outcomeText(folder.path, published)}`;
}

async function openStaged(file: string): Promise<Context> {
  const name = parseFileName(basename(file));
  if (name === undefined)
    throw new PublishError(`expected a file such as DIR/staged/2.root.json, got ${JSON.stringify(file.slice(-80))}`);
  if (basename(dirname(resolve(file))) !== 'staged') {
    throw new PublishError(
      `${file}: expected it in the folder staged/ of a repository (or of a copy of one): put it there, so that it can be seen what it changes`,
    );
  }
  const folder = new RepositoryFolder(dirname(dirname(resolve(file))));
  await folder.periods();
  const staged = parseStaged(await bytesOf(file), name, file);
  if (name.role === 'root' && (await isUnfounded(folder))) {
    return { folder, repository: undefined, staged, signatories: rootSignatories(undefined, staged.file.body as Root) };
  }
  const repository = await loadRepository(folder);
  if (!isNext(repository, staged)) {
    throw new PublishError(
      `${file} was made for version ${name.version}, and the repository has gone on without it: remove it and make the change again`,
    );
  }
  return { folder, repository, staged, signatories: await signatoriesOf(folder, repository, staged, name) };
}

async function signatoriesOf(folder: RepositoryFolder, repository: Repository, staged: StagedFile, name: FileName) {
  if (staged.kind === 'root') return rootSignatories(repository.root.body, staged.file.body);
  const under = name.role === 'targets' ? await comingRoot(folder, repository) : repository.root.body;
  return targetsSignatories(name.role, under, repository.targets.body);
}

/** Targets that are staged beside a root are for that root's keys. */
async function comingRoot(folder: RepositoryFolder, { root }: Repository): Promise<Root> {
  const name = { role: 'root', version: root.body.version + 1 };
  const bytes = await folder.readStaged(fileName(name.role, name.version));
  if (bytes === undefined) return root.body;
  const staged = parseStaged(bytes, name, 'the staged root');
  return staged.kind === 'root' ? staged.file.body : root.body;
}

async function isUnfounded(folder: RepositoryFolder): Promise<boolean> {
  const names = await folder.versioned();
  if (names.some(({ role }) => role === 'root')) {
    await loadRoots(folder, names);
    return false;
  }
  return true;
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new PublishError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
