import { basename, join } from 'node:path';
import type { TrustStatus } from '../status.ts';
import type { Disk } from '../state/disk.ts';
import { parseGun } from './gun.ts';
import { loadState } from './load-state.ts';
import { damage, FOLDER_NAME, isMissing, STATE, StateFolder } from './state-folder.ts';
import { decodeState } from './state-record.ts';
import { rememberedStatus } from './trust-status.ts';

/** Repositories read for a status: each takes some milliseconds to verify, and some hundred bytes to keep. */
const RECALL_LIMIT = 2_000;

export interface Recalled {
  /** By the name of the folder, one for each GUN. */
  readonly statuses: ReadonlyMap<string, TrustStatus>;
  /** Repositories that were left out because there are too many. */
  readonly leftOut: number;
}

/**
 * How the trust in every repository remembered in a folder stands, verified again; a damaged one has that as its failure.
 * Changes nothing. @throws the disk's errors when the folder itself cannot be read
 */
export async function recallAll(
  parent: string,
  { disk, now, limit = RECALL_LIMIT }: { readonly disk: Disk; readonly now: Date; readonly limit?: number },
): Promise<Recalled> {
  const names = (await namesIn(parent, disk)).filter((name) => FOLDER_NAME.test(name)).sort();
  const statuses = new Map<string, TrustStatus>();
  // One after the other: verifying takes the processor, and pulls in between are not to wait behind several.
  for (const name of names.slice(0, limit)) {
    const status = await recall(parent, name, { disk, now });
    if (status !== undefined) statuses.set(name, status);
  }
  return { statuses, leftOut: Math.max(0, names.length - limit) };
}

async function namesIn(parent: string, disk: Disk): Promise<readonly string[]> {
  try {
    return await disk.list(parent);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function recall(
  parent: string,
  name: string,
  { disk, now }: { readonly disk: Disk; readonly now: Date },
): Promise<TrustStatus | undefined> {
  const path = join(parent, name);
  try {
    const folder = new StateFolder(parent, parseGun(decodeState(await disk.read(join(path, STATE))).gun), disk);
    if (basename(folder.path) !== name) throw new RangeError(`expected the state of this folder, got ${folder.gun}'s`);
    const remembered = await loadState(folder);
    return remembered && rememberedStatus(remembered.repository, remembered.refreshedAt);
  } catch (cause) {
    const { reason, message } = damage({ of: name, path }, cause);
    return { of: name, refreshedAt: undefined, failure: { reason, message, at: now }, versions: {}, expiries: [] };
  }
}
