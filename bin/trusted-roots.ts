import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrustRootConfig } from '../config/cosign-config.ts';
import type { Log } from '../oci/log.ts';
import { PUBLIC_GOOD, publicGoodPin, publicGoodSeed, TRUSTED_ROOT_TARGET } from '../trust/sigstore/public-good-root.ts';
import { FixedRoot, type TrustedRootSource } from '../trust/sigstore/trusted-root-source.ts';
import { TufTrustedRoot } from '../trust/sigstore/tuf-trusted-root.ts';
import { MetadataClient } from '../upstream/metadata-client.ts';
import { fetchThrough, rootsEndingIn403 } from './metadata-fetch.ts';

export interface TrustedRootsOptions {
  /** The data folder. */
  readonly data: string;
  readonly readOnly: boolean;
  readonly log: Log;
  readonly now: () => Date;
}

/** The trusted roots of all authorities: those that use the same one share it, with its refreshes and its folder. */
export class TrustedRoots {
  readonly #options: TrustedRootsOptions;
  readonly #opened = new Map<string, Promise<TrustedRootSource>>();
  readonly #kept: TufTrustedRoot[] = [];
  readonly #clients: MetadataClient[] = [];

  constructor(options: TrustedRootsOptions) {
    this.#options = options;
  }

  /** @throws SigstoreError, MetadataError for a file that is not what its key says */
  of(config: TrustRootConfig): Promise<TrustedRootSource> {
    const key = JSON.stringify(config);
    const opened = this.#opened.get(key) ?? this.#open(config);
    this.#opened.set(key, opened);
    return opened;
  }

  /** Has them refreshed, now and from time to time. */
  start(): void {
    for (const root of this.#kept) root.start();
  }

  /** Ends what is under way: a repository that does not answer keeps nobody from stopping. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const root of this.#kept) await root.close();
  }

  async #open(config: TrustRootConfig): Promise<TrustedRootSource> {
    switch (config.kind) {
      case 'file':
        return new FixedRoot(config.path, await readFile(config.path));
      case 'public-good':
        return this.#openTuf(PUBLIC_GOOD, {
          name: 'public good',
          pin: publicGoodPin(),
          target: TRUSTED_ROOT_TARGET,
          seed: publicGoodSeed(),
        });
      case 'tuf': {
        const { mirror, root, target } = config;
        const ca = config.ca === undefined ? {} : { ca: await readFile(config.ca, 'utf8') };
        return this.#openTuf(mirror, { name: mirror, pin: await readFile(root), target, ...ca });
      }
    }
  }

  #openTuf(
    mirror: string,
    {
      ca,
      ...what
    }: Pick<ConstructorParameters<typeof TufTrustedRoot>[0], 'name' | 'pin' | 'target' | 'seed'> & { ca?: string },
  ): TrustedRootSource {
    const { readOnly, log, now } = this.#options;
    const pem = ca === undefined ? {} : { ca };
    const client = new MetadataClient({ url: mirror, ...pem, credentials: { kind: 'anonymous' }, log, now });
    this.#clients.push(client);
    const fetch = fetchThrough(rootsEndingIn403(client));
    const root = new TufTrustedRoot({
      ...what,
      ...this.#places(mirror, what.target),
      mirror,
      fetch,
      readOnly,
      log,
      now,
    });
    this.#kept.push(root);
    return root;
  }

  /** By repository and target: another pinned root of the same repository finds what was seen of it. */
  #places(mirror: string, target: string): { folder: string; floors: string } {
    const hash = createHash('sha256').update(`${mirror}\n${target}`).digest('hex').slice(0, PLACE_HASH_LENGTH);
    const name = `${new URL(mirror).hostname.replace(/[^a-z0-9.-]/g, '_')}-${hash}`;
    // No authority has a name that begins with a dot.
    const place = (folder: string) => join(this.#options.data, folder, '.sigstore', name);
    return { folder: place('trust'), floors: place('floors') };
  }
}

/** 48 bits: enough to tell the few repositories of one configuration apart. */
const PLACE_HASH_LENGTH = 12;
