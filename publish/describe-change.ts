import type { Repository } from './load-repository.ts';
import {
  type Delegation,
  NO_DELEGATIONS,
  type RoleKeys,
  type Root,
  type Target,
  type Targets,
  TOP_ROLES,
} from './metadata.ts';
import type { StagedFile } from './staged.ts';

/** What signing this file would change, a line each, for the person who is to sign. */
export function describeChange(
  { name, kind, file }: StagedFile,
  repository: Repository | undefined,
): readonly string[] {
  const head = `${name.role}, version ${name.version}, until ${file.body.expires.toISOString()}`;
  if (kind === 'root') return [head, ...indented(rootChanges(repository?.root.body, file.body))];
  const before = name.role === 'targets' ? repository?.targets : repository?.delegated.get(name.role);
  return [head, ...indented(targetsChanges(before?.body, file.body))];
}

function rootChanges(before: Root | undefined, after: Root): string[] {
  return TOP_ROLES.flatMap((role) => keyChanges(role, before?.roles[role], after.roles[role]));
}

function targetsChanges(before: Targets | undefined, after: Targets): string[] {
  const images = imageChanges(before?.targets ?? new Map(), after.targets);
  const [old, now] = [before?.delegations ?? NO_DELEGATIONS, after.delegations];
  const gone = old.roles.filter(({ name }) => !now.roles.some((role) => role.name === name));
  return [
    ...images,
    ...now.roles.flatMap((role) =>
      delegationChanges(
        old.roles.find(({ name }) => name === role.name),
        role,
      ),
    ),
    ...gone.map(({ name }) => `${name} may vouch for nothing any more`),
  ];
}

/** `docker.io/acme/app:1: sha256:… in place of sha256:…`. */
function imageChanges(before: ReadonlyMap<string, Target>, after: ReadonlyMap<string, Target>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path) => {
    const [old, now] = [before.get(path)?.digest, after.get(path)?.digest];
    if (old === now) return [];
    if (now === undefined) return [`${path}: withdrawn, was ${old}`];
    return [`${path}: ${now}${old === undefined ? ', new' : ` in place of ${old}`}`];
  });
}

function delegationChanges(before: Delegation | undefined, after: Delegation): string[] {
  const paths =
    before?.paths.join() === after.paths.join() ? [] : [`${after.name} may vouch for ${after.paths.join(', ')}`];
  return [...paths, ...keyChanges(after.name, before, after)];
}

function keyChanges(role: string, before: RoleKeys | undefined, after: RoleKeys): string[] {
  const come = after.keyIds.filter((id) => before?.keyIds.includes(id) !== true).map((id) => `${role}: new key ${id}`);
  const go = (before?.keyIds ?? []).filter((id) => !after.keyIds.includes(id)).map((id) => `${role}: key ${id} goes`);
  const threshold =
    before?.threshold === after.threshold ? [] : [`${role}: takes ${after.threshold} of ${after.keyIds.length} keys`];
  return [...come, ...go, ...threshold];
}

function indented(lines: readonly string[]): string[] {
  return (lines.length === 0 ? ['nothing else than the time'] : lines).map((line) => `  ${line}`);
}
