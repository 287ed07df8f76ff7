import type { MetadataAnswer } from './fetch-metadata.ts';

/**
 * Where the files of one TUF repository are read from, by their names under its metadata address: `timestamp.json`,
 * `3.root.json`, `12.snapshot.json`, `7.acme%2Fapps.json`. A web server, a folder or an OCI registry.
 */
export interface MetadataSource {
  /** The address, for people: in evidence, status and log lines. Without credentials. */
  readonly address: string;
  /**
   * @param limit most bytes the file may have
   * @throws MetadataUnavailable when the place could not be asked; MetadataTooLarge
   */
  get(file: string, limit: number): Promise<MetadataAnswer>;
}
