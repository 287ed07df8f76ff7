import type { SigningKey } from './key.ts';
import type { Keyring } from './keyring.ts';
import { loadRepository, type Repository } from './load-repository.ts';
import type { MetaFile, Root, Snapshot, Targets, TargetsRole, Timestamp } from './metadata.ts';
import { fileName, type RepositoryFolder } from './repository-folder.ts';
import { isDue, type Periods } from './settings.ts';
import { isSignedBy, metaFileOf, type SignedFile, signFile } from './signed-file.ts';

/** What is new, signed by those who must. */
export interface Change {
  readonly root?: SignedFile<Root>;
  /** New versions of targets and of delegated roles. */
  readonly files?: ReadonlyMap<TargetsRole, SignedFile<Targets>>;
  /** Sign snapshot and timestamp even where they are not due. */
  readonly renew?: boolean;
}

export interface Publishing {
  readonly folder: RepositoryFolder;
  readonly repository: Repository;
  readonly keyring: Keyring;
  readonly periods: Periods;
  readonly now: Date;
}

/** The repository as it is now, and who is about to sign. @throws PublishError when it is damaged, or none */
export async function openPublishing(folder: RepositoryFolder, keyring: Keyring, now: Date): Promise<Publishing> {
  const periods = await folder.periods();
  return { folder, repository: await loadRepository(folder), keyring, periods, now };
}

/** What clients see of it. `waiting`: they see nothing until the snapshot and timestamp keys have signed. */
export type Published =
  | { readonly outcome: 'published'; readonly timestamp: number; readonly snapshot: number }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'waiting' };

interface Signers {
  readonly snapshot: readonly SigningKey[];
  readonly timestamp: readonly SigningKey[];
}

/** Old versions that stay, so that a client in the middle of an update finds what its timestamp promised. */
const KEPT_VERSIONS = 10;

/**
 * Writes what is new so that a crash at any moment leaves a repository that clients accept: new versions first, which nobody
 * looks at yet, then the timestamp, which leads to them; a new root where old and new keys have both signed.
 */
export async function publish(publishing: Publishing, change: Change): Promise<Published> {
  const { folder, repository } = publishing;
  const root = change.root ?? repository.root;
  const meta = listing(repository, change.files ?? new Map());
  const wanted = dueRoles(publishing, root.body, meta, change.renew === true);
  const signers = await signersFor(publishing, root.body, wanted);
  if (signers === undefined && (wanted.must || change.root === undefined)) {
    // With a new root the files may be believed under it only: they come with it or not at all.
    if (change.root === undefined) await addFiles(folder, change);
    return { outcome: 'waiting' };
  }
  const due = signers === undefined ? NOTHING_DUE : wanted;
  if (!due.timestamp && change.root === undefined) return { outcome: 'unchanged' };
  const { snapshot, timestamp } = signed(publishing, meta, due, signers ?? NO_SIGNERS);
  // Where the old keys did not sign what comes, it means nothing before the new root; else the root comes when all is there.
  const rootFirst = !isAccepted(repository.root.body, snapshot, timestamp, change);
  if (rootFirst) await addRoot(folder, change.root);
  await addFiles(folder, change);
  if (due.snapshot) await folder.addMetadata(fileName('snapshot', snapshot.body.version), snapshot.bytes);
  if (due.timestamp) await folder.replaceTimestamp(timestamp.bytes);
  if (!rootFirst) await addRoot(folder, change.root);
  await prune(folder);
  return { outcome: 'published', timestamp: timestamp.body.version, snapshot: snapshot.body.version };
}

async function addFiles(folder: RepositoryFolder, { files = new Map() }: Change): Promise<void> {
  for (const [role, file] of files) await folder.addMetadata(fileName(role, file.body.version), file.bytes);
}

/** The snapshot's list. What it once listed it lists forever: clients take a file that vanishes for an attack. */
function listing(
  repository: Repository,
  files: ReadonlyMap<TargetsRole, SignedFile<Targets>>,
): ReadonlyMap<TargetsRole, MetaFile> {
  const targets = files.get('targets') ?? repository.targets;
  const { roles, keys } = targets.body.delegations;
  const meta = new Map([...repository.snapshot.body.meta, ['targets', metaFileOf(targets)] as const]);
  for (const [role, file] of [...repository.delegated, ...files]) {
    const delegation = roles.find(({ name }) => name === role);
    // Who lost the right to sign since has left a file that must not become current with the very change that took it.
    if (delegation !== undefined && isSignedBy(file, delegation, keys)) meta.set(role, metaFileOf(file));
  }
  return meta;
}

interface Due {
  readonly snapshot: boolean;
  readonly timestamp: boolean;
  /** Not for age alone: what changed is not seen, or not believed, before they are signed. */
  readonly must: boolean;
}

const NOTHING_DUE: Due = { snapshot: false, timestamp: false, must: false };
const NO_SIGNERS: Signers = { snapshot: [], timestamp: [] };

function dueRoles(
  { repository, periods, now }: Publishing,
  { roles, keys }: Root,
  meta: ReadonlyMap<TargetsRole, MetaFile>,
  renew: boolean,
): Due {
  const { snapshot, timestamp } = repository;
  const changed = [...meta].some(([role, file]) => snapshot.body.meta.get(role)?.sha256 !== file.sha256);
  const mustSnapshot = renew || changed || !isSignedBy(snapshot, roles.snapshot, keys);
  const dueSnapshot = mustSnapshot || isDue(snapshot.body.expires, periods.snapshot, now);
  const mustTimestamp = mustSnapshot || !isSignedBy(timestamp, roles.timestamp, keys);
  const dueTimestamp = dueSnapshot || mustTimestamp || isDue(timestamp.body.expires, periods.timestamp, now);
  return { snapshot: dueSnapshot, timestamp: dueTimestamp, must: mustTimestamp };
}

/** Undefined when too few of the keys are at hand. */
async function signersFor({ keyring, repository }: Publishing, root: Root, due: Due): Promise<Signers | undefined> {
  const of = async (role: 'snapshot' | 'timestamp', needed: boolean) => {
    if (!needed) return [];
    const signers = await keyring.signers(root.roles[role]);
    return signers.length < root.roles[role].threshold ? undefined : [...signers, ...(await outgoing(role))];
  };
  // In a rotation the old keys sign too, as far as they are at hand: then clients with the old root follow without a gap.
  const outgoing = async (role: 'snapshot' | 'timestamp') => {
    const keyIds = repository.root.body.roles[role].keyIds.filter((id) => !root.roles[role].keyIds.includes(id));
    return keyIds.length === 0 ? [] : await keyring.signers({ keyIds, threshold: keyIds.length });
  };
  const [snapshot, timestamp] = [await of('snapshot', due.snapshot), await of('timestamp', due.timestamp)];
  return snapshot === undefined || timestamp === undefined ? undefined : { snapshot, timestamp };
}

function signed(
  { repository, periods, now }: Publishing,
  meta: ReadonlyMap<TargetsRole, MetaFile>,
  due: Due,
  signers: Signers,
): { readonly snapshot: SignedFile<Snapshot>; readonly timestamp: SignedFile<Timestamp> } {
  const expires = (period: number) => new Date(now.getTime() + period);
  const snapshot = due.snapshot
    ? signFile<Snapshot>(
        { type: 'snapshot', version: nextVersion(repository, 'snapshot'), expires: expires(periods.snapshot), meta },
        signers.snapshot,
      )
    : repository.snapshot;
  const timestamp = due.timestamp
    ? signFile<Timestamp>(
        {
          type: 'timestamp',
          version: repository.timestamp.body.version + 1,
          expires: expires(periods.timestamp),
          snapshot: metaFileOf(snapshot),
        },
        signers.timestamp,
      )
    : repository.timestamp;
  return { snapshot, timestamp };
}

/** Above every file of that role in the folder, and above what the snapshot says of it, lost or removed as it may be. */
export function nextVersion({ highest, snapshot }: Repository, role: string): number {
  return Math.max(highest.get(role) ?? 0, snapshot.body.meta.get(role)?.version ?? 0) + 1;
}

/** Whether clients with this root believe all of it. */
function isAccepted(
  { roles, keys }: Root,
  snapshot: SignedFile<Snapshot>,
  timestamp: SignedFile<Timestamp>,
  change: Change,
): boolean {
  const targets = change.files?.get('targets');
  return (
    isSignedBy(snapshot, roles.snapshot, keys) &&
    isSignedBy(timestamp, roles.timestamp, keys) &&
    (targets === undefined || isSignedBy(targets, roles.targets, keys))
  );
}

async function addRoot(folder: RepositoryFolder, root: SignedFile<Root> | undefined): Promise<void> {
  if (root !== undefined) await folder.addMetadata(fileName('root', root.body.version), root.bytes);
}

/** Roots stay, all of them: a client follows them one by one from the version it was given. */
async function prune(folder: RepositoryFolder): Promise<void> {
  const byRole = Map.groupBy(await folder.versioned(), ({ role }) => role);
  for (const [role, names] of byRole) {
    if (role === 'root') continue;
    const versions = names.map(({ version }) => version).sort((one, other) => other - one);
    for (const version of versions.slice(KEPT_VERSIONS)) await folder.removeMetadata(fileName(role, version));
  }
}
