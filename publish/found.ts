import { join } from 'node:path';
import { generateKey, type PublicKey, type SigningKey, shortId } from './key.ts';
import { privateKeyPem, publicKeyPem } from './key-file.ts';
import { NO_DELEGATIONS, type Root, type Targets, TOP_ROLES, type TopRole } from './metadata.ts';
import { PublishError } from './publish-error.ts';
import { fileName, type RepositoryFolder } from './repository-folder.ts';
import type { Periods } from './settings.ts';
import { isSignedBy, metaFileOf, signFile } from './signed-file.ts';

export interface Founding {
  readonly folder: RepositoryFolder;
  /** Root keys made here. */
  readonly rootKeys: number;
  /** Root keys of others, who sign with `tuf sign`. */
  readonly othersRootKeys: readonly PublicKey[];
  readonly rootThreshold: number;
  readonly periods: Periods;
  /** Of the keys that sign by hand; undefined leaves them open, for tests. */
  readonly passphrase: string | undefined;
  readonly now: Date;
  /** Default: new random keys. */
  readonly makeKey?: (role: TopRole) => SigningKey;
}

/** A key that was made: whose, and where it lies. */
export interface MadeKey {
  readonly role: TopRole;
  readonly file: string;
  readonly public: PublicKey;
}

export interface Founded {
  readonly keys: readonly MadeKey[];
  /** The first root: what clients are given to begin with; in `staged/` while it lacks signatures of others. */
  readonly root: string;
  readonly complete: boolean;
}

/** Founds a repository that vouches for nothing yet. @throws PublishError when the folder is in use or the numbers do not fit */
export async function found(founding: Founding): Promise<Founded> {
  const { folder, rootKeys, othersRootKeys, rootThreshold, periods } = founding;
  const count = rootKeys + othersRootKeys.length;
  if (rootThreshold < 1 || rootThreshold > count) {
    throw new PublishError(
      `expected a root threshold between 1 and ${count}, the number of root keys, got ${rootThreshold}`,
    );
  }
  await folder.make();
  const make = founding.makeKey ?? generateKey;
  const made = {
    root: Array.from({ length: rootKeys }, () => make('root')),
    targets: [make('targets')],
    snapshot: [make('snapshot')],
    timestamp: [make('timestamp')],
  };
  const keys: MadeKey[] = [];
  for (const role of TOP_ROLES) {
    for (const key of made[role]) keys.push(await saveKey(folder, role, key, founding.passphrase));
  }
  const { root, complete } = await writeFirst(founding, made);
  await folder.settle(periods);
  return { keys, root, complete };
}

/** Writes both halves of a key: encrypted where it signs by hand, open where a server signs with it. */
export async function saveKey(
  folder: RepositoryFolder,
  role: TopRole,
  key: SigningKey,
  passphrase: string | undefined,
): Promise<MadeKey> {
  const online = isOnline(role);
  const place = online ? folder.onlineKeys : folder.offlineKeys;
  const name = `${role}-${shortId(key.public.id)}`;
  await folder.writeKey(place, `${name}.pub`, publicKeyPem(key.public));
  const file = await folder.writeKey(place, `${name}.pem`, privateKeyPem(key, online ? undefined : passphrase));
  return { role, file, public: key.public };
}

export function isOnline(role: TopRole): boolean {
  return role === 'snapshot' || role === 'timestamp';
}

async function writeFirst(
  { folder, othersRootKeys, rootThreshold, periods, now }: Founding,
  keys: Readonly<Record<TopRole, readonly SigningKey[]>>,
): Promise<{ root: string; complete: boolean }> {
  const common = (role: TopRole) => ({ version: 1, expires: new Date(now.getTime() + periods[role]) });
  const role = (name: TopRole) => ({ keyIds: keys[name].map((key) => key.public.id).sort(), threshold: 1 });
  const rootIds = [...keys.root.map((key) => key.public), ...othersRootKeys].map(({ id }) => id).sort();
  if (new Set(rootIds).size < rootIds.length) throw new PublishError('expected each root key once, got one twice');
  const all = [...TOP_ROLES.flatMap((name) => keys[name].map((key) => key.public)), ...othersRootKeys];
  const body: Root = {
    type: 'root',
    ...common('root'),
    keys: new Map(all.map((key) => [key.id, key])),
    roles: {
      root: { keyIds: rootIds, threshold: rootThreshold },
      targets: role('targets'),
      snapshot: role('snapshot'),
      timestamp: role('timestamp'),
    },
  };
  const first: Targets = { type: 'targets', ...common('targets'), targets: new Map(), delegations: NO_DELEGATIONS };
  const targets = signFile(first, keys.targets);
  const snapshot = signFile(
    { type: 'snapshot' as const, ...common('snapshot'), meta: new Map([['targets', metaFileOf(targets)]]) },
    keys.snapshot,
  );
  const timestamp = signFile(
    { type: 'timestamp' as const, ...common('timestamp'), snapshot: metaFileOf(snapshot) },
    keys.timestamp,
  );
  const root = signFile(body, keys.root.slice(0, rootThreshold));
  await folder.addMetadata(fileName('targets', 1), targets.bytes);
  await folder.addMetadata(fileName('snapshot', 1), snapshot.bytes);
  await folder.replaceTimestamp(timestamp.bytes);
  const complete = isSignedBy(root, body.roles.root, body.keys);
  if (!complete) return { root: await folder.stage(fileName('root', 1), root.bytes), complete };
  await folder.addMetadata(fileName('root', 1), root.bytes);
  return { root: join(folder.metadata, fileName('root', 1)), complete };
}
