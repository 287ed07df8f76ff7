import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { Gun } from './gun.ts';
import { REPOSITORY_LIMIT, ROOT_CHAIN_LIMIT } from './metadata-limits.ts';
import { type Pin, pinFault } from './pin.ts';
import { linkRoots, type RootChain, type RootFile, readRoot, requireSuccessor } from './root-chain.ts';

/** Where numbered roots come from; `undefined` when the server has none of that version. */
export interface RootSource {
  root(version: number): Promise<Uint8Array | undefined>;
}

/** What every step on the way to a trusted root is judged by. */
export interface RootJudgement {
  readonly source: RootSource;
  readonly gun: Gun;
  readonly pin: Pin;
  readonly now: Date;
}

/**
 * The first roots of a repository nothing is remembered of: the newest if it meets the pin itself, else back to the
 * latest one that does, and forward again link by link. The root that meets the pin must have valid certificates now:
 * an expired one is no start.
 * @throws MetadataError KEY_NOT_TRUSTED and what linking throws
 */
export async function firstRoots(newest: RootFile, judgement: RootJudgement): Promise<RootChain> {
  const { gun, pin, now } = judgement;
  const fault = pinFault(newest.metadata, pin, gun, now);
  if (fault === undefined) return linkRoots([newest], gun, now);
  const roots = [newest];
  const oldest = Math.max(1, newest.metadata.version - ROOT_CHAIN_LIMIT);
  for (let version = newest.metadata.version - 1; version >= oldest; version -= 1) {
    const earlier = await numbered(version, judgement);
    if (earlier === undefined) break;
    roots.unshift(earlier);
    requireBearable(roots);
    if (pinFault(earlier.metadata, pin, gun, now) === undefined) return linkRoots(roots, gun, now);
  }
  // No root before it is pinned either: the newest one's fault tells which keys there are.
  throw fault;
}

/**
 * From the root in force to the newest one. Directly if the newest is signed by the keys in force, else through every
 * root between: each must hand over to the next.
 * @throws MetadataError METADATA_ROLLBACK, KEY_NOT_TRUSTED and what linking throws
 */
export async function laterRoots(chain: RootChain, newest: RootFile, judgement: RootJudgement): Promise<RootChain> {
  const { gun, now } = judgement;
  const { current, roots } = chain;
  if (follows(current, newest, gun)) return linkRoots([...roots, newest], gun, now);
  const between: RootFile[] = [];
  for (let version = current.metadata.version + 1; version < newest.metadata.version; version += 1) {
    if (between.length >= ROOT_CHAIN_LIMIT) {
      throw new MetadataError(
        'KEY_NOT_TRUSTED',
        `root: expected at most ${ROOT_CHAIN_LIMIT} rotations at once, got more`,
      );
    }
    const next = await numbered(version, judgement);
    // A skipped root may be the one that took a stolen key out of force.
    if (next === undefined) throw skipped(version, newest);
    requireSuccessor(between.at(-1) ?? current, next, gun);
    between.push(next);
    requireBearable(between);
  }
  return linkRoots([...roots, ...between, newest], gun, now);
}

function follows(current: RootFile, newest: RootFile, gun: Gun): boolean {
  try {
    requireSuccessor(current, newest, gun);
    return true;
  } catch (error) {
    if (error instanceof MetadataError && error.reason === 'KEY_NOT_TRUSTED') return false;
    throw error;
  }
}

async function numbered(version: number, { source }: RootJudgement): Promise<RootFile | undefined> {
  const bytes = await source.root(version);
  if (bytes === undefined) return undefined;
  const root = readRoot(bytes);
  if (root.metadata.version !== version) {
    throw new MetadataError('METADATA_MISMATCH', `expected root ${version}, got root ${root.metadata.version}`);
  }
  return root;
}

/** A server we do not trust yet must not fill our memory with roots. */
function requireBearable(roots: readonly RootFile[]): void {
  const total = roots.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (total > REPOSITORY_LIMIT)
    throw malformed('roots', `at most ${REPOSITORY_LIMIT} bytes in all`, `${total} or more`);
}

function skipped(version: number, newest: RootFile): MetadataError {
  return new MetadataError(
    'KEY_NOT_TRUSTED',
    `root ${newest.metadata.version} does not follow from the root in force: expected root ${version} between them, got none`,
  );
}
