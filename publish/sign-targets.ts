import type { PublicKey, KeyId } from './key.ts';
import type { Repository } from './load-repository.ts';
import type { Delegation, RoleKeys, Target, Targets, TargetsRole } from './metadata.ts';
import { NO_DELEGATIONS } from './metadata.ts';
import { covers } from './path-pattern.ts';
import { nextVersion, type Published, publish, type Publishing } from './publication.ts';
import { echo, PublishError } from './publish-error.ts';
import { fileName } from './repository-folder.ts';
import { isSignedBy, type SignedFile, signFile } from './signed-file.ts';

/** What becomes of it: what `publish` says, or a file that waits for the signatures of others. */
export type Signed = Published | { readonly outcome: 'staged'; readonly file: string };

/** Who may sign a role of targets, and its newest file, if it has one. */
export interface TargetsSigners {
  readonly role: RoleKeys;
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly file: SignedFile<Targets> | undefined;
  /** Undefined for targets itself, which may vouch for everything. */
  readonly delegation: Delegation | undefined;
}

/** @throws PublishError for a role that there is none of. */
export function signersOfTargets({ root, targets, delegated }: Repository, name: TargetsRole): TargetsSigners {
  if (name === 'targets') {
    return { role: root.body.roles.targets, keys: root.body.keys, file: targets, delegation: undefined };
  }
  const { roles, keys } = targets.body.delegations;
  const delegation = roles.find((role) => role.name === name);
  if (delegation !== undefined) return { role: delegation, keys, file: delegated.get(name), delegation };
  const known = ['targets', ...roles.map((role) => role.name)].join(', ');
  throw new PublishError(`expected a role of this repository (${known}), got ${echo(name)}`);
}

/** The images a role vouches for, by path. */
export type Images = ReadonlyMap<string, Target>;

/** @throws PublishError for a role that there is none of. */
export function imagesOf(repository: Repository, name: TargetsRole): Images {
  return signersOfTargets(repository, name).file?.body.targets ?? new Map();
}

/** Signs another list of images for a role, and publishes it. @throws PublishError */
export async function signImages(publishing: Publishing, name: TargetsRole, images: Images): Promise<Signed> {
  const { file, delegation } = signersOfTargets(publishing.repository, name);
  if (delegation !== undefined) requireCovered(delegation, images);
  return await signTargets(publishing, name, {
    targets: images,
    delegations: file?.body.delegations ?? NO_DELEGATIONS,
  });
}

/** Signs the next version of a role of targets, and publishes it; stages it while others' signatures are lacking. */
export async function signTargets(
  publishing: Publishing,
  name: TargetsRole,
  { targets, delegations }: Pick<Targets, 'targets' | 'delegations'>,
): Promise<Signed> {
  const { folder, repository, keyring, periods, now } = publishing;
  const { role, keys } = signersOfTargets(repository, name);
  const signers = await keyring.signers(role);
  if (signers.length === 0) throw new PublishError(noKey(name, role));
  const version = nextVersion(repository, name);
  const expires = new Date(now.getTime() + periods.targets);
  const file = signFile<Targets>({ type: 'targets', version, expires, targets, delegations }, signers);
  if (!isSignedBy(file, role, keys)) {
    return { outcome: 'staged', file: await folder.stage(fileName(name, version), file.bytes) };
  }
  return await publish(publishing, { files: new Map([[name, file]]) });
}

function requireCovered(delegation: Delegation, images: Images): void {
  const strange = [...images.keys()].find((path) => !covers(delegation.paths, path));
  if (strange === undefined) return;
  throw new PublishError(
    `${strange}: the role ${delegation.name} may vouch for ${delegation.paths.join(', ')} only, so no client would believe it; nothing was signed`,
  );
}

function noKey(name: TargetsRole, { keyIds, threshold }: RoleKeys): string {
  const ids = keyIds.map((id) => id.slice(0, 8)).join(', ');
  return `no key of ${name} is at hand (it takes ${threshold} of ${ids}): pass it with --key FILE; nothing was changed`;
}
