import type { KeyId, PublicKey } from './key.ts';
import { checkRoleName, type Delegation, type Delegations } from './metadata.ts';
import { checkPathPattern } from './path-pattern.ts';
import type { Publishing } from './publication.ts';
import { echo, PublishError } from './publish-error.ts';
import { type Signed, signTargets } from './sign-targets.ts';

export interface DelegationWish {
  /** Default: the first pattern with its special letters replaced. */
  readonly name: string | undefined;
  readonly paths: readonly string[];
  readonly keys: readonly PublicKey[];
  readonly threshold: number | undefined;
  readonly terminating: boolean | undefined;
  /** The role it is to come before; undefined for the end. */
  readonly before: string | undefined;
}

/**
 * Lets keys vouch for the images that match, besides targets and after the delegations that are there. Of a role that exists,
 * patterns and keys are added, and what is given is changed. @throws PublishError
 */
export async function delegate(
  publishing: Publishing,
  wish: DelegationWish,
): Promise<Signed & { readonly name: string }> {
  const { delegations } = publishing.repository.targets.body;
  const paths = wish.paths.map(checkPathPattern);
  const name = checkRoleName(wish.name ?? nameFor(paths[0] ?? ''));
  const old = delegations.roles.find((role) => role.name === name);
  const keyIds = [...new Set([...(old?.keyIds ?? []), ...wish.keys.map(({ id }) => id)])].sort();
  const threshold = wish.threshold ?? old?.threshold ?? 1;
  if (keyIds.length < threshold || threshold < 1) {
    throw new PublishError(`expected a threshold between 1 and ${keyIds.length}, the number of keys, got ${threshold}`);
  }
  const role: Delegation = {
    name,
    keyIds,
    threshold,
    paths: [...new Set([...(old?.paths ?? []), ...paths])],
    terminating: wish.terminating ?? old?.terminating ?? false,
  };
  const roles = placed(delegations.roles, role, wish.before);
  const keys = new Map([...delegations.keys, ...wish.keys.map((key) => [key.id, key] as const)]);
  return { name, ...(await signDelegations(publishing, { roles, keys })) };
}

/** Takes keys off a role, or the whole role away when none are named. @throws PublishError */
export async function undelegate(publishing: Publishing, name: string, ids: readonly KeyId[]): Promise<Signed> {
  const { delegations } = publishing.repository.targets.body;
  const old = delegations.roles.find((role) => role.name === name);
  if (old === undefined) {
    const known = delegations.roles.map((role) => role.name).join(', ') || 'none';
    throw new PublishError(`expected a delegated role (there is ${known}), got ${echo(name)}; nothing was changed`);
  }
  if (ids.length === 0) {
    return await signDelegations(publishing, {
      ...delegations,
      roles: delegations.roles.filter((role) => role !== old),
    });
  }
  const strange = ids.find((id) => !old.keyIds.includes(id));
  if (strange !== undefined) throw new PublishError(`${strange.slice(0, 8)} is no key of ${name}; nothing was changed`);
  const keyIds = old.keyIds.filter((id) => !ids.includes(id));
  if (keyIds.length < old.threshold) {
    throw new PublishError(
      `${name} takes ${old.threshold} signatures and would have ${keyIds.length} keys: add another key first, or remove the whole role; nothing was changed`,
    );
  }
  const roles = delegations.roles.map((role) => (role === old ? { ...old, keyIds } : role));
  return await signDelegations(publishing, { ...delegations, roles });
}

function signDelegations(publishing: Publishing, { roles, keys }: Delegations): Promise<Signed> {
  const used = new Set(roles.flatMap(({ keyIds }) => keyIds));
  const { targets } = publishing.repository.targets.body;
  const delegations = { roles, keys: new Map([...keys].filter(([id]) => used.has(id))) };
  return signTargets(publishing, 'targets', { targets, delegations });
}

function placed(roles: readonly Delegation[], role: Delegation, before: string | undefined): readonly Delegation[] {
  const at = roles.findIndex(({ name }) => name === role.name);
  if (before === undefined) return at === -1 ? [...roles, role] : roles.with(at, role);
  const others = roles.filter(({ name }) => name !== role.name);
  const place = others.findIndex(({ name }) => name === before);
  if (place === -1) throw new PublishError(`expected a delegated role to come before, got ${echo(before)}`);
  return others.toSpliced(place, 0, role);
}

function nameFor(path: string): string {
  return path
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
}
