/**
 * What an authority needs of the network, answered from memory:
 *
 *   const fetch = new NotaryFetch(repository);
 *   fetch.fault = new MetadataUnavailable('connection refused');    // an outage, until it is undefined again
 *   fetch.held = promise;                                           // answers wait for it
 *   fetch.requests                                                  // file names, in order
 */
import { type MetadataAnswer, type MetadataFetch, MetadataTooLarge } from '../../trust/fetch-metadata.ts';

export class NotaryFetch implements MetadataFetch {
  readonly requests: string[] = [];
  readonly urls: string[] = [];
  fault: Error | undefined;
  held: Promise<unknown> | undefined;
  /** Asked first: may answer in place of the repository, or throw. */
  answer: ((file: string) => MetadataAnswer | undefined) | undefined;
  readonly #repository: { readonly files: ReadonlyMap<string, Uint8Array> };

  constructor(repository: { readonly files: ReadonlyMap<string, Uint8Array> }) {
    this.#repository = repository;
  }

  async get(url: string, limit: number): Promise<MetadataAnswer> {
    const file = url.slice(url.indexOf('/_trust/tuf/') + '/_trust/tuf/'.length);
    this.urls.push(url);
    this.requests.push(file);
    await this.held;
    if (this.fault !== undefined) throw this.fault;
    const answer = this.answer?.(file);
    if (answer !== undefined) return answer;
    const bytes = this.#repository.files.get(file);
    if (bytes === undefined) return { kind: 'missing' };
    if (bytes.byteLength > limit)
      throw new MetadataTooLarge(`expected at most ${limit} bytes, got ${bytes.byteLength}`);
    return { kind: 'found', bytes };
  }
}
