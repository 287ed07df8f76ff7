import { echo, MetadataError } from '../metadata/metadata-error.ts';
import { childrenFor, type TargetPath, targetPath } from './delegation.ts';
import { requireUnexpired } from './envelope.ts';
import type { Key } from './key.ts';
import { VISIT_LIMIT } from './metadata-limits.ts';
import type { Repository } from './repository.ts';
import type { Target, TargetsMetadata } from './targets-metadata.ts';

/** A role that a search came to, from whom, and who signed it. */
export interface Visit {
  readonly name: string;
  readonly metadata: TargetsMetadata;
  readonly signers: readonly Key[];
  readonly from: Visit | undefined;
}

/** What a path means. */
export interface Resolution {
  readonly path: string;
  readonly target: Target & { readonly sha256: string };
  /** From `targets` down to the role whose word it is. */
  readonly trail: readonly Visit[];
  /** Every role that was looked into: what the others did not say counts too. */
  readonly visited: readonly Visit[];
}

interface Next {
  readonly name: string;
  readonly from: Visit | undefined;
}

/**
 * The target of a path, TUF specification 5.6.7: pre-order and depth first, so a role that comes first has the word. A role that
 * cannot be used ends the search with what is wrong with it: to pass over it would let a later role speak in its place.
 * @param accepted roles whose word counts; any, when there are none
 * @returns undefined when no role has the path
 * @throws MetadataError: the fault of a role on the way; METADATA_INVALID for a target without sha256; SIGNERS_MISSING
 */
export function search(
  repository: Repository,
  text: string,
  accepted: ReadonlySet<string>,
  now: Date,
): Resolution | undefined {
  const path = targetPath(text);
  const visited = new Map<string, Visit>();
  let waiting: Next[] = [{ name: 'targets', from: undefined }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (visited.has(next.name)) continue;
    if (visited.size >= VISIT_LIMIT) {
      throw new MetadataError(
        'METADATA_INVALID',
        `${echo(text)}: expected at most ${VISIT_LIMIT} roles that may have it, got more`,
      );
    }
    const visit = visitOf(repository, next, now);
    visited.set(visit.name, visit);
    const target = visit.metadata.targets.get(text);
    if (target !== undefined) return resolution(text, target, visit, [...visited.values()], accepted);
    const { children, terminating } = childrenOf(visit, path);
    waiting = [...(terminating ? [] : waiting), ...children.reverse()];
  }
  return undefined;
}

function visitOf({ targets, roles, links }: Repository, { name, from }: Next, now: Date): Visit {
  if (from === undefined) {
    requireUnexpired(targets.metadata.expires, now, 'targets');
    return { name, from, metadata: targets.metadata, signers: targets.signers };
  }
  const link = links.get(from.name)?.get(name);
  if (link !== undefined && 'fault' in link) throw link.fault;
  const file = roles.get(name);
  if (link === undefined || file === undefined)
    throw new RangeError(`expected ${name} to have been read, got nothing of it`);
  requireUnexpired(file.metadata.expires, now, name);
  return { name, from, metadata: file.metadata, signers: link.signers };
}

/** Roles to be asked about the path, up to and including the first that is terminating: nothing after it is. */
function childrenOf(visit: Visit, path: TargetPath): { children: Next[]; terminating: boolean } {
  const { delegations } = visit.metadata;
  const children: Next[] = [];
  for (const { name, terminating } of delegations === undefined ? [] : childrenFor(delegations, path)) {
    children.push({ name, from: visit });
    if (terminating) return { children, terminating };
  }
  return { children, terminating: false };
}

function resolution(
  path: string,
  target: Target,
  visit: Visit,
  visited: readonly Visit[],
  accepted: ReadonlySet<string>,
): Resolution {
  if (accepted.size > 0 && !accepted.has(visit.name)) {
    const roles = [...accepted].join(', ');
    throw new MetadataError('SIGNERS_MISSING', `it is signed by ${visit.name}, accepted are only targets of ${roles}`);
  }
  const { sha256 } = target;
  // A length, or an md5, is no proof of anything: tuf-js takes both.
  if (sha256 === undefined) {
    throw new MetadataError('METADATA_INVALID', `${visit.name}: expected a sha256 hash for ${echo(path)}, got none`);
  }
  const trail: Visit[] = [];
  for (let at: Visit | undefined = visit; at !== undefined; at = at.from) trail.unshift(at);
  return { path, target: { ...target, sha256 }, trail, visited };
}
