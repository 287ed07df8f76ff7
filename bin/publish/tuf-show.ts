import { loadRepository } from '../../publish/load-repository.ts';
import { TOP_ROLES, type RoleKeys } from '../../publish/metadata.ts';
import { expiries, warnings } from '../../publish/refresh.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { loadStaged } from '../../publish/staged.ts';

interface Row {
  readonly role: string;
  readonly version: number | undefined;
  readonly expires: string | undefined;
  readonly threshold: number;
  readonly keys: readonly string[];
  readonly images?: readonly string[];
  readonly terminating?: boolean;
}

/** `docklock tuf show DIR`: what is there, and who may sign what. Asks for no passphrase. @returns the exit code */
export async function tufShow(
  dir: string,
  options: { readonly json: boolean },
  out: NodeJS.WritableStream,
): Promise<number> {
  const folder = new RepositoryFolder(dir);
  const periods = await folder.periods();
  const repository = await loadRepository(folder);
  const known = new Map(expiries(repository).map((expiry) => [expiry.role, expiry]));
  const rowOf = (role: string, { threshold, keyIds }: RoleKeys): Row => {
    const expiry = known.get(role);
    return { role, version: expiry?.version, expires: expiry?.expires.toISOString(), threshold, keys: keyIds };
  };
  const rows = [
    ...TOP_ROLES.map((role) => rowOf(role, repository.root.body.roles[role])),
    ...repository.targets.body.delegations.roles.map((role) => ({
      ...rowOf(role.name, role),
      images: role.paths,
      terminating: role.terminating,
    })),
  ];
  const staged = (await loadStaged(folder)).map(({ name }) => `${name.version}.${name.role}.json`);
  const notes = warnings(repository, periods, new Date());
  if (options.json) {
    out.write(`${JSON.stringify({ repository: dir, roles: rows, staged, warnings: notes }, null, 2)}\n`);
    return 0;
  }
  out.write(`The TUF repository in ${dir} vouches for ${repository.targets.body.targets.size} images itself.\n`);
  out.write(rows.map(text).join(''));
  for (const file of staged) out.write(`staged: ${folder.staged}/${file} waits for signatures\n`);
  for (const note of notes) out.write(`warning: ${note}\n`);
  return 0;
}

function text({ role, version, expires, threshold, keys, images, terminating }: Row): string {
  const state = version === undefined ? 'nothing signed yet' : `version ${version}, until ${expires}`;
  const about =
    images === undefined ? '' : `\n    for ${images.join(', ')}${terminating === true ? ', and nobody after it' : ''}`;
  return `  ${role}: ${state}${about}\n    ${threshold} of ${keys.length} keys: ${keys.map((id) => id.slice(0, 8)).join(', ')}\n`;
}
