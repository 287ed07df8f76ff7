import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import { atOnce } from '../refresh/at-once.ts';
import { rolesOf } from './delegation.ts';
import { type Envelope, openEnvelope, trustedFile } from './envelope.ts';
import { type Floors, requireNotBelow } from './floors.ts';
import { DEPTH_LIMIT, REPOSITORY_LIMIT, ROLE_LIMIT, TARGETS_LIMIT } from './metadata-limits.ts';
import type { Link, Repository, RoleFile } from './repository.ts';
import { type RoleKeys, requireThreshold } from './signature.ts';
import { type FileMeta, mismatchOf, requireMatch, type SnapshotMetadata } from './snapshot-metadata.ts';
import type { MetadataFiles } from './source.ts';
import { parseTargets, TARGETS_NAMES, type TargetsMetadata } from './targets-metadata.ts';

/** What delegated roles are read from and judged by. */
export interface RoleReading {
  readonly snapshot: SnapshotMetadata;
  readonly consistent: boolean;
  readonly floors: Floors;
  readonly previous: Repository | undefined;
  readonly files: MetadataFiles;
}

/** Files fetched at once: quick for a repository of thousands of roles, bearable for its server. */
const AT_ONCE = 16;

interface Edge {
  readonly delegator: string;
  readonly keys: RoleKeys;
}

/** A file as it was read, with its signatures where they are at hand. */
interface Read {
  readonly file: RoleFile;
  readonly envelope: Envelope | undefined;
}

/** Reads every role that is delegated to, level by level, each file once however many delegate to it. */
export class RoleReader {
  readonly #reading: RoleReading;
  readonly #files = new Map<string, RoleFile | MetadataError>();
  readonly #links = new Map<string, Map<string, Link>>();
  #bytes = 0;

  constructor(reading: RoleReading) {
    this.#reading = reading;
  }

  /**
   * What is wrong with one role is a fault of that role's links, and stops only what is looked for through it.
   * @throws MetadataError METADATA_INVALID for more roles or bytes than can be borne; what the source throws, so that an outage is one
   */
  async readFrom(top: TargetsMetadata): Promise<Pick<Repository, 'roles' | 'links'>> {
    let level: ReadonlyMap<string, TargetsMetadata> = new Map([['targets', top]]);
    for (let depth = 1; level.size > 0; depth += 1) {
      const edges = this.#edgesFrom(level);
      if (depth > DEPTH_LIMIT) this.#refuse(edges);
      else await atOnce(AT_ONCE, edges, ([name, from]) => this.#read(name, from));
      level = this.#reachedFrom(edges);
    }
    const roles = [...this.#files.values()].filter((file) => !(file instanceof MetadataError)) as RoleFile[];
    return { roles: new Map(roles.map((file) => [file.name, file])), links: this.#links };
  }

  #edgesFrom(level: ReadonlyMap<string, TargetsMetadata>): ReadonlyMap<string, Edge[]> {
    const edges = new Map<string, Edge[]>();
    for (const [delegator, { delegations }] of level) {
      this.#links.set(delegator, new Map());
      for (const keys of delegations === undefined ? [] : rolesOf(delegations)) {
        const known = edges.get(keys.name);
        if (known === undefined) edges.set(keys.name, [{ delegator, keys }]);
        else known.push({ delegator, keys });
      }
    }
    if (edges.size + this.#files.size > 2 * ROLE_LIMIT)
      throw malformed('targets', `at most ${ROLE_LIMIT} roles`, 'more');
    return edges;
  }

  /** Roles that some delegator was right to hand on to, and that have not been looked into yet. */
  #reachedFrom(edges: ReadonlyMap<string, readonly Edge[]>): ReadonlyMap<string, TargetsMetadata> {
    const reached = new Map<string, TargetsMetadata>();
    for (const [name, from] of edges) {
      const file = this.#files.get(name);
      if (file === undefined || file instanceof MetadataError || this.#links.has(name)) continue;
      const isSigned = from.some(({ delegator }) => 'signers' in (this.#links.get(delegator)?.get(name) ?? {}));
      if (isSigned) reached.set(name, file.metadata);
    }
    return reached;
  }

  async #read(name: string, edges: readonly Edge[]): Promise<void> {
    const known = this.#files.get(name);
    const read = known === undefined ? await this.#remembered(name) : wrap(known);
    let links = edges.map((edge) => this.#link(read, edge));
    let { file } = read;
    // Signed again under other keys, without a new version: the file that is remembered lacks those signatures.
    if (known === undefined && !(file instanceof MetadataError) && read.envelope === undefined && links.some(isFault)) {
      const fresh = await this.#fetched(name);
      links = edges.map((edge) => this.#link(fresh, edge));
      file = fresh.file;
    }
    if (known === undefined) this.#keep(name, file);
    edges.forEach(({ delegator }, at) => {
      const link = links[at];
      if (link !== undefined) this.#links.get(delegator)?.set(name, link);
    });
  }

  #keep(name: string, file: RoleFile | MetadataError): void {
    this.#files.set(name, file);
    if (this.#files.size > ROLE_LIMIT) throw malformed('targets', `at most ${ROLE_LIMIT} roles`, 'more');
    this.#bytes += file instanceof MetadataError ? 0 : file.bytes.byteLength;
    if (this.#bytes > REPOSITORY_LIMIT) throw malformed('roles', `at most ${REPOSITORY_LIMIT} bytes in all`, 'more');
  }

  /** The file in memory, if it is the one that the snapshot means; else the one from the source. */
  async #remembered(name: string): Promise<Read | { readonly file: MetadataError; readonly envelope?: undefined }> {
    const file = this.#reading.previous?.roles.get(name);
    const meta = this.#reading.snapshot.roles.get(name);
    if (file === undefined || meta === undefined) return await this.#fetched(name);
    if (file.metadata.version !== meta.version || mismatchOf(file.bytes, meta) !== undefined)
      return await this.#fetched(name);
    return { file, envelope: undefined };
  }

  async #fetched(name: string): Promise<Read | { readonly file: MetadataError; readonly envelope?: undefined }> {
    try {
      return await this.#fetch(name);
    } catch (error) {
      if (error instanceof MetadataError) return { file: error };
      throw error;
    }
  }

  async #fetch(name: string): Promise<Read> {
    const { snapshot, consistent, files, floors } = this.#reading;
    const meta = snapshot.roles.get(name);
    if (meta === undefined) {
      throw new MetadataError(
        'METADATA_MISMATCH',
        `${name}: expected the snapshot to list the role, got one that does not`,
      );
    }
    const bytes = await files.get(
      { role: name, ...(consistent ? { version: meta.version } : {}) },
      limitOf(meta, name),
    );
    if (bytes === undefined) {
      throw new MetadataError(
        'METADATA_MISMATCH',
        `${name}: expected the file that was signed for, got 404 (not found)`,
      );
    }
    requireMatch(bytes, meta, name);
    const envelope = openTargets(bytes, name);
    if (envelope.version !== meta.version) {
      throw new MetadataError(
        'METADATA_MISMATCH',
        `${name}: expected version ${meta.version}, got ${envelope.version}`,
      );
    }
    const file = { ...trustedFile(bytes, envelope, parseTargets(envelope, name)), name };
    const floor = floors.get(name);
    if (floor?.version === envelope.version) {
      requireNotBelow(floor, name, { version: envelope.version, signedHash: file.signedHash });
    }
    return { file, envelope };
  }

  #link({ file, envelope }: { file: RoleFile | MetadataError; envelope?: Envelope | undefined }, edge: Edge): Link {
    const { keys } = edge;
    if (file instanceof MetadataError) return { keys, fault: file };
    const before = envelope === undefined ? this.#linkBefore(file, edge) : undefined;
    if (before !== undefined) return before;
    try {
      const signed = envelope ?? openTargets(file.bytes, file.name);
      return { keys, signers: requireThreshold(signed, keys, file.name) };
    } catch (error) {
      if (error instanceof MetadataError) return { keys, fault: error };
      throw error;
    }
  }

  /** What was found of the same file under the same keys need not be computed again. */
  #linkBefore(file: RoleFile, { delegator, keys }: Edge): Link | undefined {
    const { previous } = this.#reading;
    const link = previous?.links.get(delegator)?.get(file.name);
    if (previous?.roles.get(file.name) !== file || link === undefined || !('signers' in link)) return undefined;
    return sameKeys(link.keys, keys) ? { keys, signers: link.signers } : undefined;
  }

  #refuse(edges: ReadonlyMap<string, readonly Edge[]>): void {
    for (const [name, from] of edges) {
      const fault = malformed(name, `at most ${DEPTH_LIMIT} delegations down to a role`, 'more');
      for (const { delegator, keys } of from) this.#links.get(delegator)?.set(name, { keys, fault });
    }
  }
}

export function openTargets(bytes: Uint8Array, role: string): Envelope {
  return openEnvelope(bytes, { type: 'targets', limit: TARGETS_LIMIT, where: role, names: TARGETS_NAMES });
}

/** @throws MetadataError METADATA_INVALID */
export function limitOf({ length }: FileMeta, role: string, most = TARGETS_LIMIT): number {
  if (length !== undefined && length > most) throw malformed(role, `at most ${most} bytes`, String(length));
  return length ?? most;
}

function wrap(file: RoleFile | MetadataError): { file: RoleFile | MetadataError; envelope: undefined } {
  return { file, envelope: undefined };
}

function isFault(link: Link): boolean {
  return 'fault' in link;
}

function sameKeys(before: RoleKeys, after: RoleKeys): boolean {
  if (before === after) return true;
  const known = new Map(before.keys.map(({ id, identity }) => [id, identity]));
  return (
    before.threshold === after.threshold &&
    known.size === after.keys.length &&
    after.keys.every(({ id, identity }) => known.has(id) && known.get(id) === identity)
  );
}
