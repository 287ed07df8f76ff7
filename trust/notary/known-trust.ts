import { UNDETERMINED_REASONS } from '../reason.ts';
import type { TrustStatus } from '../status.ts';
import type { Disk } from './disk.ts';
import { recallAll } from './recall.ts';
import type { RepositoryTrust } from './repository-trust.ts';
import { folderName } from './state-folder.ts';

/** Repositories told of beside those in memory. Beyond it the one heard of longest ago is left out. */
const KNOWN_LIMIT = 5_000;

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

  /** A repository leaves the memory. Names that anybody made up must not drive out what is trusted. */
  left(trust: Told): void {
    const status = trust.status();
    if (isTrusted(status)) this.#keep(folderName(trust.gun), status);
  }

  /** All that is known; of what is in memory, that. */
  all(inMemory: readonly Told[]): TrustStatus[] {
    const all = new Map(this.#known);
    for (const trust of inMemory) {
      const status = trust.status();
      if (isTrusted(status) || isTrouble(status)) all.set(folderName(trust.gun), status);
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

/** Trusted once, on disk at least. */
function isTrusted({ refreshedAt, failure }: TrustStatus): boolean {
  return refreshedAt !== undefined || failure?.reason === 'TRUST_STATE_DAMAGED';
}

/** Never trusted, and not for want of a signature: that is an answer to who asked for the image, and no news for the operator. */
function isTrouble({ failure }: TrustStatus): boolean {
  return failure !== undefined && failure.reason in UNDETERMINED_REASONS;
}
