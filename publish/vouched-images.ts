import type { Repository } from './load-repository.ts';
import type { Target, Targets, TargetsRole } from './metadata.ts';
import { covers } from './path-pattern.ts';
import type { SignedFile } from './signed-file.ts';

/** An image that a role vouches for. */
export interface VouchedImage {
  readonly path: string;
  readonly target: Target;
  readonly role: TargetsRole;
  /** False where another role before it has the last word on this path: clients never see this entry. */
  readonly effective: boolean;
}

/** All that is vouched for, by path and in order of precedence. */
export function vouchedImages({ targets, delegated }: Repository): readonly VouchedImage[] {
  const files = new Map<TargetsRole, SignedFile<Targets>>([['targets', targets], ...delegated]);
  const images: VouchedImage[] = [];
  for (const path of [...new Set([...files.values()].flatMap(({ body }) => [...body.targets.keys()]))].sort()) {
    const decides = decidingRole(targets.body, delegated, path);
    for (const [role, { body }] of files) {
      const target = body.targets.get(path);
      if (target !== undefined) images.push({ path, target, role, effective: role === decides });
    }
  }
  return images;
}

/** Whose word on a path clients take: TUF 1.0, "5.6.7": targets, then the delegations that match, in order, until one is terminating. */
export function decidingRole(
  { targets, delegations }: Targets,
  delegated: ReadonlyMap<TargetsRole, SignedFile<Targets>>,
  path: string,
): TargetsRole | undefined {
  if (targets.has(path)) return 'targets';
  for (const { name, paths, terminating } of delegations.roles) {
    if (!covers(paths, path)) continue;
    if (delegated.get(name)?.body.targets.has(path)) return name;
    if (terminating) return undefined;
  }
  return undefined;
}
