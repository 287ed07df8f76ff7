import { join } from 'node:path';
import { echo, PublishError } from './publish-error.ts';
import type {
  Delegation,
  Metadata,
  MetaFile,
  Root,
  Snapshot,
  Targets,
  TargetsRole,
  Timestamp,
  TopRole,
} from './metadata.ts';
import { type FileName, fileName, type RepositoryFolder } from './repository-folder.ts';
import { isSignedBy, metaFileOf, readFile, type SignedFile } from './signed-file.ts';
import type { Parsed } from './metadata-json.ts';

/** A repository of ours whose every file was checked: signatures, versions, hashes. Expiry is not looked at: what expired is signed anew. */
export interface Repository {
  /** Every version, oldest first, each signed by the one before. */
  readonly roots: readonly SignedFile<Root>[];
  /** The newest. */
  readonly root: SignedFile<Root>;
  readonly timestamp: SignedFile<Timestamp>;
  readonly snapshot: SignedFile<Snapshot>;
  /** The newest, perhaps not in the snapshot yet. */
  readonly targets: SignedFile<Targets>;
  /** The newest of each delegated role that has signed anything, perhaps not in the snapshot yet. */
  readonly delegated: ReadonlyMap<TargetsRole, SignedFile<Targets>>;
  /** The highest version of each role in the folder, whatever is thought of that file: the next one is higher. */
  readonly highest: ReadonlyMap<string, number>;
  /** Roles that clients do not believe until they are signed again, and why: a sentence each. */
  readonly unsigned: ReadonlyMap<string, string>;
}

/** @throws PublishError naming the file that is missing, damaged, or not signed by those who may. */
export async function loadRepository(folder: RepositoryFolder): Promise<Repository> {
  const names = await folder.versioned();
  const loading = new Loading(folder, names, await loadRoots(folder, names));
  return await loading.load();
}

/** @throws PublishError when there is none yet, or a version is missing or not signed by the one before. */
export async function loadRoots(
  folder: RepositoryFolder,
  names: readonly FileName[],
): Promise<readonly SignedFile<Root>[]> {
  const versions = names.filter(({ role }) => role === 'root').map(({ version }) => version);
  const roots: SignedFile<Root>[] = [];
  for (const version of versions.sort((one, other) => one - other)) {
    const root = await read(folder, fileName('root', version), 'root');
    const previous = roots.at(-1);
    const where = join(folder.metadata, fileName('root', version));
    checkVersion(root, previous === undefined ? version : previous.body.version + 1, where);
    for (const by of previous === undefined ? [root] : [previous, root]) {
      if (isSignedBy(root, by.body.roles.root, by.body.keys)) continue;
      const whose = by === root ? 'its own' : `version ${by.body.version}'s`;
      throw new PublishError(
        `${where} is not signed by ${whose} root keys: it was tampered with, so nothing is signed here; restore the folder from a backup`,
      );
    }
    roots.push(root);
  }
  if (roots.length > 0) return roots;
  const staged = (await folder.stagedNames()).find(({ role }) => role === 'root');
  throw staged === undefined
    ? new PublishError(`${folder.metadata} has no root.json: put the folder back from a backup`)
    : new PublishError(
        `the repository is not founded yet: ${join(folder.staged, fileName('root', staged.version))} lacks signatures; add yours with docklock tuf sign`,
      );
}

class Loading {
  readonly #folder: RepositoryFolder;
  readonly #names: readonly FileName[];
  readonly #roots: readonly SignedFile<Root>[];
  readonly #unsigned = new Map<string, string>();

  constructor(folder: RepositoryFolder, names: readonly FileName[], roots: readonly SignedFile<Root>[]) {
    this.#folder = folder;
    this.#names = names;
    this.#roots = roots;
  }

  async load(): Promise<Repository> {
    const timestamp = await read(this.#folder, 'timestamp.json', 'timestamp');
    this.#checkTopRole(timestamp, 'timestamp');
    const snapshot = await this.#listed('snapshot', 'snapshot', timestamp.body.snapshot);
    this.#checkTopRole(snapshot, 'snapshot');
    const targets = await this.#targets(snapshot);
    const root = this.#roots.at(-1);
    if (root === undefined) throw new Error('no root was loaded');
    return {
      roots: this.#roots,
      root,
      timestamp,
      snapshot,
      targets,
      delegated: await this.#delegated(snapshot, targets),
      highest: this.#highest(),
      unsigned: this.#unsigned,
    };
  }

  async #targets(snapshot: SignedFile<Snapshot>): Promise<SignedFile<Targets>> {
    const meta = snapshot.body.meta.get('targets');
    if (meta === undefined)
      throw new PublishError(`${pathOf(this.#folder, snapshot)} lists no targets: restore it from a backup`);
    const pending = this.#newest('targets', meta.version);
    const file =
      pending === undefined ? await this.#listed('targets', 'targets', meta) : await this.#pending('targets', pending);
    this.#checkTopRole(file, 'targets');
    return file;
  }

  async #delegated(snapshot: SignedFile<Snapshot>, { body }: SignedFile<Targets>) {
    const files = new Map<TargetsRole, SignedFile<Targets>>();
    for (const delegation of body.delegations.roles) {
      const file = await this.#delegatedFile(delegation, snapshot, body);
      if (file !== undefined) files.set(delegation.name, file);
    }
    return files;
  }

  async #delegatedFile(
    delegation: Delegation,
    snapshot: SignedFile<Snapshot>,
    { delegations: { keys } }: Targets,
  ): Promise<SignedFile<Targets> | undefined> {
    const { name } = delegation;
    const meta = snapshot.body.meta.get(name);
    const pending = this.#newest(name, meta?.version ?? 0);
    if (pending !== undefined) {
      const file = await this.#pending(name, pending);
      if (isSignedBy(file, delegation, keys)) return file;
      // Not in the snapshot, so no client sees it: perhaps of somebody whose key was taken off the list since.
      this.#unsigned.set(
        name,
        `${pathOf(this.#folder, file, name)} is not signed by ${keysText(delegation)}; it is left out`,
      );
    }
    if (meta === undefined) {
      if (pending === undefined)
        this.#unsigned.set(name, `nothing was signed for it yet: docklock vouch --role ${name} does, with its key`);
      return undefined;
    }
    const file = await this.#listed(name, 'targets', meta);
    if (!isSignedBy(file, delegation, keys)) {
      this.#unsigned.set(
        name,
        `version ${file.body.version} is not signed by ${keysText(delegation)}: vouch with one of those keys, or docklock tuf renew`,
      );
    }
    return file;
  }

  /** A file that the one above lists with its version, length and hash. */
  async #listed<Type extends Metadata['type']>(
    role: string,
    type: Type,
    meta: MetaFile,
  ): Promise<SignedFile<Parsed<Type>>> {
    const name = fileName(role, meta.version);
    const file = await read(this.#folder, name, type);
    const found = metaFileOf(file);
    if (found.version === meta.version && found.length === meta.length && found.sha256 === meta.sha256) return file;
    throw new PublishError(
      `${join(this.#folder.metadata, name)} is not the file that was signed for (expected version ${meta.version}, ${meta.length} bytes, sha256 ${meta.sha256}; got version ${found.version}, ${found.length} bytes, ${found.sha256}): restore it from a backup or a mirror; nothing was changed`,
    );
  }

  async #pending(role: TargetsRole, version: number): Promise<SignedFile<Targets>> {
    const file = await read(this.#folder, fileName(role, version), 'targets');
    checkVersion(file, version, join(this.#folder.metadata, fileName(role, version)));
    return file;
  }

  /** Signed by today's keys, or by those of an earlier root: then it waits for a signature by today's. */
  #checkTopRole(file: SignedFile<Metadata>, role: TopRole): void {
    const signed = (by: SignedFile<Root>) => isSignedBy(file, by.body.roles[role], by.body.keys);
    const newest = this.#roots.length - 1;
    const at = this.#roots.findLastIndex(signed);
    if (at === -1) {
      throw new PublishError(
        `${pathOf(this.#folder, file)} is not signed by the ${role} keys that root names: it was tampered with, so nothing is signed here; restore the folder from a backup`,
      );
    }
    if (at < newest)
      this.#unsigned.set(
        role,
        `it is signed by keys of an earlier root only: docklock tuf ${RENEWERS[role]} signs it with today's`,
      );
  }

  #newest(role: TargetsRole, above: number): number | undefined {
    const versions = this.#names.filter((name) => name.role === role && name.version > above);
    return versions.length === 0 ? undefined : Math.max(...versions.map(({ version }) => version));
  }

  #highest(): ReadonlyMap<string, number> {
    const highest = new Map<string, number>();
    for (const { role, version } of this.#names) highest.set(role, Math.max(version, highest.get(role) ?? 0));
    return highest;
  }
}

const RENEWERS: Readonly<Record<TopRole, string>> = {
  root: 'renew',
  targets: 'renew',
  snapshot: 'refresh',
  timestamp: 'refresh',
};

async function read<Type extends Metadata['type']>(
  folder: RepositoryFolder,
  name: string,
  type: Type,
): Promise<SignedFile<Parsed<Type>>> {
  return readFile(await folder.readMetadata(name), type, join(folder.metadata, name));
}

function checkVersion({ body }: SignedFile<Metadata>, version: number, where: string): void {
  if (body.version !== version)
    throw new PublishError(
      `${where}: expected version ${version}, got ${body.version}: a version is missing or renamed`,
    );
}

function pathOf(folder: RepositoryFolder, { body }: SignedFile<Metadata>, role: string = body.type): string {
  return join(folder.metadata, body.type === 'timestamp' ? 'timestamp.json' : fileName(role, body.version));
}

function keysText({ name, threshold, keyIds }: Delegation): string {
  return `${threshold} of the ${keyIds.length} keys of ${echo(name)}`;
}
