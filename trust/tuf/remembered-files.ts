import { REPOSITORY_LIMIT } from './metadata-limits.ts';
import { type FileName, fileText, type MetadataFiles } from './source.ts';

/**
 * One look at a source that asks for no file twice, and keeps what a refresh that failed on the way had already got of files named
 * with their version: so that thousands of roles are got in the end, however small the budget of one refresh is.
 */
export class RememberedFiles implements MetadataFiles {
  readonly #files: MetadataFiles;
  readonly #now = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #kept: Map<string, Uint8Array>;
  #bytes: number;

  constructor(files: MetadataFiles, kept: Map<string, Uint8Array>) {
    this.#files = files;
    this.#kept = kept;
    this.#bytes = [...kept.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  get(file: FileName, limit: number): Promise<Uint8Array | undefined> {
    const name = fileText(file);
    const known = this.#kept.get(name);
    if (known !== undefined && known.byteLength <= limit) return Promise.resolve(known);
    const asked = this.#now.get(name) ?? this.#ask(file, name, limit);
    this.#now.set(name, asked);
    return asked;
  }

  async #ask(file: FileName, name: string, limit: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#files.get(file, limit);
    if (bytes !== undefined && file.version !== undefined && file.role !== 'root') this.#keep(name, bytes);
    return bytes;
  }

  #keep(name: string, bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes <= REPOSITORY_LIMIT) this.#kept.set(name, bytes);
  }
}
