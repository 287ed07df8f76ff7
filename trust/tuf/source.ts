/** Where metadata comes from. A name is that of the TUF specification: `timestamp.json`, `3.root.json`, `7.releases.json`. */
export interface MetadataSource {
  /** What it is called in messages and in `docklock status`. */
  readonly address: string;
  /** The files as they are now; what one look gives is asked for once. */
  look(): MetadataFiles;
}

export interface MetadataFiles {
  /**
   * @param limit most bytes the file may have
   * @returns undefined when there is no such file, which is an answer and not an outage
   * @throws MetadataUnavailable when it could not be asked; MetadataError METADATA_INVALID for a file longer than the limit
   */
  get(file: FileName, limit: number): Promise<Uint8Array | undefined>;
}

export interface FileName {
  readonly role: string;
  /** In front of the name, where the repository has consistent snapshots; never for the timestamp. */
  readonly version?: number;
}

/** The name in a URL or a folder: a role's name may have anything in it, and none of it may lead elsewhere. */
export function fileText({ role, version }: FileName): string {
  const name = `${encodeURIComponent(role)}.json`;
  return version === undefined ? name : `${version}.${name}`;
}
