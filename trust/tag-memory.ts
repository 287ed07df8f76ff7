import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../oci/digest.ts';

/** What a tag meant, and when the signature of that was made. */
export interface SignedTag {
  readonly digest: Digest;
  readonly signedAt: Date;
}

/** The record of a tag is there and cannot be read: nothing can be proved not to be older. */
export class TagMemoryDamaged extends Error {
  override readonly name = 'TagMemoryDamaged';
}

/** What a tag means now could not be made to outlive a crash, so it must not be relied on. */
export class TagMemoryUnwritable extends Error {
  override readonly name = 'TagMemoryUnwritable';
}

/**
 * Whether a tag that meant one thing may mean another now: other content must not be signed earlier than the newest that was
 * seen. Pure. @returns what is to be remembered; undefined when it would be a step back
 */
export function newest(remembered: SignedTag | undefined, seen: SignedTag): SignedTag | undefined {
  if (remembered === undefined) return seen;
  const newer = seen.signedAt.getTime() > remembered.signedAt.getTime();
  // The same content, signed again since or found by an older signature of it.
  if (seen.digest === remembered.digest) return newer ? seen : remembered;
  return seen.signedAt.getTime() >= remembered.signedAt.getTime() ? seen : undefined;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** The memory of `freshness.noRollback`: a file a tag, on the disk before what it says is relied on. */
export class TagMemory {
  readonly #folder: string;
  readonly #readOnly: boolean;
  /** Questions about one tag come one after the other, so that none decides on what another is just changing. */
  readonly #queues = new Map<string, Promise<unknown>>();

  /** @param readOnly for a second process beside the one that owns the folder */
  constructor(folder: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#folder = folder;
    this.#readOnly = readOnly;
  }

  /**
   * @param image name and tag
   * @returns the newest that was seen before, when this is older; undefined when it may be
   * @throws TagMemoryDamaged, TagMemoryUnwritable
   */
  async newerThan(image: string, seen: SignedTag): Promise<SignedTag | undefined> {
    const before = this.#queues.get(image) ?? Promise.resolve();
    const turn = before.then(() => this.#compare(image, seen));
    const settled = turn.catch(() => undefined);
    this.#queues.set(image, settled);
    try {
      return await turn;
    } finally {
      if (this.#queues.get(image) === settled) this.#queues.delete(image);
    }
  }

  async #compare(image: string, seen: SignedTag): Promise<SignedTag | undefined> {
    const remembered = await this.#read(image);
    const next = newest(remembered, seen);
    if (next === undefined) return remembered;
    if (next !== remembered && !this.#readOnly) await this.#write(image, next);
    return undefined;
  }

  async #read(image: string): Promise<SignedTag | undefined> {
    const path = this.#pathOf(image);
    try {
      return parseRecord(JSON.parse(await readFile(path, 'utf8')), image);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TagMemoryDamaged(
        `what ${image} meant before cannot be read (${why}): restore ${path} from its newest backup, or remove it, ` +
          'which gives up what is known of the tag',
        { cause },
      );
    }
  }

  async #write(image: string, { digest, signedAt }: SignedTag): Promise<void> {
    const path = this.#pathOf(image);
    try {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      const file = await open(`${path}.new`, 'w', FILE_MODE);
      try {
        await file.writeFile(JSON.stringify({ image, digest, signedAt: signedAt.toISOString() }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
      const folder = await open(this.#folder, 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TagMemoryUnwritable(`what ${image} means now could not be written: ${why}`, { cause });
    }
  }

  #pathOf(image: string): string {
    return join(this.#folder, createHash('sha256').update(image).digest('hex'));
  }
}

/** @throws RangeError */
function parseRecord(value: unknown, image: string): SignedTag {
  const record: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { digest, signedAt } = record;
  const at = new Date(typeof signedAt === 'string' ? signedAt : Number.NaN);
  if (record.image !== image || typeof digest !== 'string' || !isDigest(digest) || Number.isNaN(at.getTime())) {
    throw new RangeError(`expected a digest and a date of ${image}, got another record`);
  }
  return { digest, signedAt: at };
}
