import type { KeyId, PublicKey } from './key.ts';
import { type RoleKeys, type Root, type Targets, TOP_ROLES, type TopRole } from './metadata.ts';
import { nextVersion, type Published, type Publishing } from './publication.ts';
import { PublishError } from './publish-error.ts';
import { fileName } from './repository-folder.ts';
import { type SignedFile, signFile } from './signed-file.ts';
import { changesTargets, lacking, publishStaged, rootSignatories, type StagedFile } from './staged.ts';

/** `staged`: these files in `staged/` wait, and `lacks` says for whose signatures. */
export type RootChanged =
  | Published
  | { readonly outcome: 'staged'; readonly files: readonly string[]; readonly lacks: readonly string[] };

export interface KeyChange {
  readonly role: TopRole;
  /** The key that goes; undefined to add one. */
  readonly outgoing: KeyId | undefined;
  /** The key that comes; undefined to remove one. */
  readonly incoming: PublicKey | undefined;
  readonly threshold: number | undefined;
}

/** Today's root with another expiry, and nothing else changed. */
export function renewedRoot({ repository, periods, now }: Publishing): Root {
  const { body } = repository.root;
  return { ...body, version: body.version + 1, expires: new Date(now.getTime() + periods.root) };
}

/** @throws PublishError when the numbers do not fit */
export function rotatedRoot(publishing: Publishing, { role, outgoing, incoming, threshold }: KeyChange): Root {
  const next = renewedRoot(publishing);
  const old = next.roles[role];
  if (outgoing !== undefined && !old.keyIds.includes(outgoing)) {
    throw new PublishError(
      `expected a key of ${role} (${old.keyIds.map((id) => id.slice(0, 8)).join(', ')}), got ${outgoing.slice(0, 8)}`,
    );
  }
  const kept = old.keyIds.filter((id) => id !== outgoing);
  const keyIds = [...new Set([...kept, ...(incoming === undefined ? [] : [incoming.id])])].sort();
  const changed: RoleKeys = { keyIds, threshold: threshold ?? Math.min(old.threshold, Math.max(1, keyIds.length)) };
  if (keyIds.length < changed.threshold || changed.threshold < 1) {
    throw new PublishError(
      `expected a threshold of ${role} between 1 and ${keyIds.length}, its number of keys, got ${changed.threshold}`,
    );
  }
  const roles = { ...next.roles, [role]: changed };
  const known = new Map([...next.keys, ...(incoming === undefined ? [] : [[incoming.id, incoming] as const])]);
  const used = new Set(TOP_ROLES.flatMap((name) => roles[name].keyIds));
  return { ...next, roles, keys: new Map([...known].filter(([id]) => used.has(id))) };
}

/**
 * Signs a new root with the keys at hand, old and new, stages it, and publishes it if that is enough. Where it names other keys
 * for targets, today's images are signed anew with those, and with the old ones as far as they are at hand.
 * @param beforeWriting runs when all is signed and nothing written: here a new key is saved, before anything relies on it
 */
export async function changeRoot(
  publishing: Publishing,
  next: Root,
  beforeWriting: () => Promise<void> = async () => undefined,
): Promise<RootChanged> {
  const { folder, repository, keyring } = publishing;
  const signatories = rootSignatories(repository.root.body, next);
  const signers = [];
  for (const { role } of signatories) signers.push(...(await keyring.signers(role)));
  if (signers.length === 0) {
    throw new PublishError('no root key is at hand: pass one with --key FILE; nothing was changed');
  }
  const root = signFile<Root>(next, signers);
  const staged = [{ of: stagedRoot(root), signatories }];
  if (changesTargets(repository.root.body, next)) {
    const who = 'the new targets keys';
    const of = stagedTargets(await signedAnew(publishing, next));
    staged.push({ of, signatories: [{ who, role: next.roles.targets, keys: next.keys }] });
  }
  await beforeWriting();
  const files: string[] = [];
  const lacks: string[] = [];
  for (const { of, signatories: wanted } of staged) {
    const path = await folder.stage(fileName(of.name.role, of.name.version), of.file.bytes);
    const left = lacking(of, wanted);
    if (left.length > 0) files.push(path);
    lacks.push(...left);
  }
  return (await publishStaged(publishing)) ?? { outcome: 'staged', files, lacks };
}

async function signedAnew({ repository, keyring, periods, now }: Publishing, next: Root): Promise<SignedFile<Targets>> {
  const version = nextVersion(repository, 'targets');
  const expires = new Date(now.getTime() + periods.targets);
  const signers = [
    ...(await keyring.signers(next.roles.targets)),
    ...(await keyring.signers(repository.root.body.roles.targets)),
  ];
  return signFile<Targets>({ ...repository.targets.body, version, expires }, signers);
}

function stagedRoot(file: SignedFile<Root>): StagedFile {
  return { name: { role: 'root', version: file.body.version }, kind: 'root', file };
}

function stagedTargets(file: SignedFile<Targets>): StagedFile {
  return { name: { role: 'targets', version: file.body.version }, kind: 'targets', file };
}
