import { createHash } from 'node:crypto';
import type { MetadataError } from '../metadata/metadata-error.ts';
import { assemble, noRepository, requireCurrent } from './assemble.ts';
import { type Floors, isSuperseded } from './floors.ts';
import { ROOT_LIMIT, ROOT_ROTATION_LIMIT, TIMESTAMP_LIMIT } from './metadata-limits.ts';
import { RememberedFiles } from './remembered-files.ts';
import { faultsOf, type Repository } from './repository.ts';
import { isAnchored, linkRoots, type RootChain, type RootFile } from './root-chain.ts';
import type { MetadataFiles, MetadataSource } from './source.ts';
import type { Staging } from './staging.ts';
import { walkRoots } from './tuf-client.ts';

export interface Update {
  readonly source: MetadataSource;
  /** The root that the operator pinned. */
  readonly pinned: RootFile;
  /** What is remembered, whether or not it follows from the root that is pinned now. */
  readonly previous: Repository | undefined;
  /** They outlive `previous`. */
  readonly floors: Floors;
  /** Files that a refresh before this one got in vain; more are added. */
  readonly kept: Map<string, Uint8Array>;
  readonly staging: Staging;
  readonly now: Date;
}

/** One look at the source, as far as the roots and, if nothing is new, the timestamp. */
export interface Look {
  readonly files: MetadataFiles;
  /** To the newest root there is. */
  readonly chain: RootChain;
  /** Why tuf-js does not take what it was given; to be said if nothing else is wrong. */
  readonly refusal: MetadataError | undefined;
  readonly isUnchanged: boolean;
}

/**
 * The roots, TUF specification 5.3. They count from here on whatever becomes of the rest, 5.3.8: whoever could take a root back by spoiling
 * the rest could take back that a stolen key is out of force.
 * @throws MetadataError, StateUnwritable, and what the source throws
 */
export async function lookAtRoots(request: Update): Promise<Look> {
  const { source, previous, staging } = request;
  const files = new RememberedFiles(source.look(), request.kept);
  const chain = startOf(request);
  const goesOn = previous !== undefined && chain === previous.chain && !isSuperseded(chain, request.floors);
  if (goesOn && (await isUnchanged(previous, files))) {
    return { files, chain, refusal: undefined, isUnchanged: true };
  }
  const { newest, refusal } = await walkToNewest(chain, files, staging);
  return { files, chain: newest, refusal, isUnchanged: false };
}

/**
 * What the source says now, found good, as a whole: TUF specification 5.4 to 5.6. A failure leaves what was remembered as it was.
 * @returns the remembered repository itself when nothing has changed
 * @throws MetadataError, and what the source throws
 */
export async function update({ previous, floors, now }: Update, look: Look): Promise<Repository> {
  const { files, chain, refusal } = look;
  if (previous !== undefined && look.isUnchanged) {
    requireCurrent(previous, now);
    return previous;
  }
  const repository = await assemble({ chain, files, floors, previous, at: now });
  if (refusal !== undefined) throw refusal;
  return previous !== undefined && chain === previous.chain && isSame(previous, repository) ? previous : repository;
}

/** Roles that cannot be used are asked for again each time; mostly they are still not there. */
function isSame(previous: Repository, repository: Repository): boolean {
  return stateVersionOf(previous) === stateVersionOf(repository);
}

/** tuf-js ends a walk after so many roots, and takes the last for the newest; the next one may be the one that took a stolen key out. */
async function walkToNewest(start: RootChain, files: MetadataFiles, staging: Staging) {
  let newest = start;
  for (;;) {
    const { roots, refusal } = await walkRoots(newest, files, staging);
    if (roots.length > 0) newest = linkRoots([...newest.roots, ...roots]);
    if (roots.length < ROOT_ROTATION_LIMIT) return { newest, refusal };
  }
}

/** The chain in force, unless the operator has pinned another root since. */
function startOf({ previous, pinned }: Update): RootChain {
  return previous !== undefined && isAnchored(previous.chain, pinned) ? previous.chain : linkRoots([pinned]);
}

/** Two small files tell that nothing is new. A role that could not be used may be mended without anything else changing. */
async function isUnchanged(previous: Repository, files: MetadataFiles): Promise<boolean> {
  const { current } = previous.chain;
  const next = await files.get({ role: 'root', version: current.metadata.version + 1 }, ROOT_LIMIT);
  const timestamp = await files.get({ role: 'timestamp' }, TIMESTAMP_LIMIT);
  if (timestamp === undefined) throw noRepository();
  return (
    next === undefined && Buffer.compare(timestamp, previous.timestamp.bytes) === 0 && faultsOf(previous).size === 0
  );
}

/** Short, and different whenever anything that is trusted differs: the timestamp names all but the root, but roles may have been mended. */
export function stateVersionOf(repository: Repository): string {
  const { chain, timestamp, roles } = repository;
  const hash = createHash('sha256').update(`${chain.current.sha256},${timestamp.sha256}`);
  for (const { name, sha256 } of roles.values()) hash.update(`,${sha256} ${name}`);
  for (const [name, { reason }] of faultsOf(repository)) hash.update(`,${reason} ${name}`);
  return `${chain.current.metadata.version}.${timestamp.metadata.version}-${hash.digest('hex').slice(0, STATE_HASH_LENGTH)}`;
}

/** 64 bits: enough that two states of one repository never share it by accident. */
const STATE_HASH_LENGTH = 16;
