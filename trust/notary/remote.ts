import { type MetadataFetch, MetadataTooLarge } from '../fetch-metadata.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import type { FileSource } from './assemble.ts';
import type { MetadataFileMeta } from './file-meta.ts';
import type { RootSource } from './find-roots.ts';
import type { Gun } from './gun.ts';
import { METADATA_LIMIT, TIMESTAMP_LIMIT } from './metadata-limits.ts';
import type { RoleName } from './role-name.ts';

/** The trust data of one repository on its server, by the URL layout of Notary v1. */
export class Remote implements FileSource, RootSource {
  readonly #base: string;
  readonly #gun: Gun;
  readonly #fetch: MetadataFetch;

  constructor(server: string, gun: Gun, fetch: MetadataFetch) {
    // A port in a GUN keeps its colon, which is plain in a path; nothing else in one needs escaping.
    const path = gun.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':');
    this.#base = `${server.replace(/\/+$/, '')}/v2/${path}/_trust/tuf/`;
    this.#gun = gun;
    this.#fetch = fetch;
  }

  /** @throws MetadataError NOT_SIGNED: 404 is an answer, not an outage; what is remembered must not be used in its place. */
  async timestamp(): Promise<Uint8Array> {
    const bytes = await this.#get('timestamp.json', TIMESTAMP_LIMIT);
    if (bytes === undefined) throw this.#notSigned('timestamp');
    return bytes;
  }

  /** @throws MetadataError NOT_SIGNED */
  async newestRoot(): Promise<Uint8Array> {
    const bytes = await this.#get('root.json', METADATA_LIMIT);
    if (bytes === undefined) throw this.#notSigned('root');
    return bytes;
  }

  root(version: number): Promise<Uint8Array | undefined> {
    return this.#get(`${version}.root.json`, METADATA_LIMIT);
  }

  /** Asks for no more bytes than were signed for: what is longer is not that file, however long it goes on. */
  async file(role: RoleName, meta: MetadataFileMeta): Promise<Uint8Array> {
    const bytes = await this.#get(`${role}.${meta.sha256}.json`, meta.length);
    if (bytes === undefined) {
      throw new MetadataError(
        'METADATA_MISMATCH',
        `${role}: expected the file that was signed for, got 404 (not found)`,
      );
    }
    return bytes;
  }

  async #get(file: string, limit: number): Promise<Uint8Array | undefined> {
    try {
      const answer = await this.#fetch.get(this.#base + file, limit);
      if (answer.kind === 'missing') return undefined;
      if (answer.bytes.byteLength <= limit) return answer.bytes;
    } catch (cause) {
      if (!(cause instanceof MetadataTooLarge)) throw cause;
    }
    throw malformed(file, `at most ${limit} bytes`, 'more');
  }

  #notSigned(role: string): MetadataError {
    return new MetadataError('NOT_SIGNED', `the trust server has no trust data (${role}) for ${this.#gun}`);
  }
}
