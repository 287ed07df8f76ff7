import { UNDETERMINED_REASONS } from '../reason.ts';
import type { TrustStatus } from '../status.ts';
import type { Disk } from '../state/disk.ts';
import { recallAll } from './recall.ts';
import type { RepositoryTrust } from './repository-trust.ts';
import { folderName } from './state-folder.ts';

/** Repositories told of beside those in memory. Beyond it the one heard of longest ago is left out. */
const KNOWN_LIMIT = 5_000;

/** Milliseconds. A first contact that failed longer ago is nobody's concern: it is not tried again until it is asked about. */
const TROUBLE_TOLD_FOR = 60 * 60_000;

type Told = Pick<RepositoryTrust, 'gun' | 'status'>;

/** How the trust stands in repositories that are not in memory: as it was found on disk, or when they left. */
export class KnownTrust {
  readonly #limit: number;
  /** By the name of its folder; in the order in which they were heard of. */
  readonly #known = new Map<string, TrustStatus>();

  constructor(limit = KNOWN_LIMIT) {
    this.#limit = limit;
  }

  /** Reads what is on disk; what was heard of meanwhile is newer. @returns how many were left out. @throws the disk's errors */
  async recall(parent: string, access: { readonly disk: Disk; readonly now: Date }): Promise<number> {
    const { statuses, leftOut } = await recallAll(parent, access);
    for (const [name, status] of statuses) if (!this.#known.has(name)) this.#keep(name, status);
    return leftOut;
  }

  /**
   * A repository leaves the memory. Names that anybody made up must not drive out what is trusted. Nobody tries its refresh
   * again until it is asked about, so that a failure of it would be told for good; what is on disk stays damaged.
   */
  left(trust: Told): void {
    const status = trust.status();
    const name = folderName(trust.gun);
    if (isDamaged(status)) this.#keep(name, status);
    else if (status.refreshedAt !== undefined) this.#keep(name, { ...status, failure: undefined });
  }

  /** All that is known; of what is in memory, that. */
  all(inMemory: readonly Told[], now: Date): TrustStatus[] {
    const all = new Map(this.#known);
    for (const trust of inMemory) {
      const status = trust.status();
      const tells = status.refreshedAt !== undefined || isDamaged(status) || isTrouble(status, now);
      if (tells) all.set(folderName(trust.gun), status);
    }
    return [...all.values()];
  }

  #keep(name: string, status: TrustStatus): void {
    this.#known.delete(name);
    this.#known.set(name, status);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#limit && oldest !== undefined) this.#known.delete(oldest);
  }
}

function isDamaged({ failure }: TrustStatus): boolean {
  return failure?.reason === 'TRUST_STATE_DAMAGED';
}

/**
 * Never trusted, a moment ago, and not for want of a signature: that is an answer to who asked for the image, and no news
 * for the operator.
 */
function isTrouble({ failure }: TrustStatus, now: Date): boolean {
  if (failure === undefined || !Object.hasOwn(UNDETERMINED_REASONS, failure.reason)) return false;
  return now.getTime() - failure.at.getTime() < TROUBLE_TOLD_FOR;
}
