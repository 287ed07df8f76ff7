import { found } from '../../publish/found.ts';
import { findImage } from '../../publish/image-target.ts';
import { Keyring } from '../../publish/keyring.ts';
import { openPublishing, type Publishing } from '../../publish/publication.ts';
import { PublishError } from '../../publish/publish-error.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { DEFAULT_PERIODS } from '../../publish/settings.ts';
import { type Images, imagesOf, signImages } from '../../publish/sign-targets.ts';
import type { ImageSource } from '../publish/image-source.ts';

/** Who vouches for images: what `docklock tuf init` and `docklock vouch` do, with keys that have no passphrase. */
export class Publisher {
  readonly folder: RepositoryFolder;
  /** The file that the gateway pins. */
  readonly root: string;
  readonly #now: () => Date;

  private constructor(folder: RepositoryFolder, root: string, now: () => Date) {
    this.folder = folder;
    this.root = root;
    this.#now = now;
  }

  /** @param path a folder that is not there yet */
  static async found(path: string, now: () => Date): Promise<Publisher> {
    const folder = new RepositoryFolder(path);
    const keys = { rootKeys: 1, othersRootKeys: [], rootThreshold: 1, passphrase: undefined };
    const { root } = await found({ folder, ...keys, periods: DEFAULT_PERIODS, now: now() });
    return new Publisher(folder, root, now);
  }

  /** Signs what the registry has under this name just now. */
  async vouch(image: string, source: ImageSource): Promise<void> {
    const { name, reference } = source.parse(image);
    const { path, target } = await findImage(source.upstream(name), name, reference);
    await this.#sign((images) => new Map([...images, [path, target]]));
  }

  /** Vouches for it no longer: `docklock vouch --withdraw`. */
  async withdraw(image: string): Promise<void> {
    await this.#sign((images) => new Map([...images].filter(([path]) => path !== image)));
  }

  async #sign(change: (images: Images) => Images): Promise<void> {
    const { outcome } = await this.folder.exclusively(async () => {
      const publishing = await this.#open();
      return signImages(publishing, 'targets', change(imagesOf(publishing.repository, 'targets')));
    });
    if (outcome !== 'published') throw new PublishError(`expected the change to be published, got ${outcome}`);
  }

  async #open(): Promise<Publishing> {
    const { onlineKeys, offlineKeys } = this.folder;
    const keyring = await Keyring.open({ folders: [onlineKeys, offlineKeys], passphrase: noPassphrase });
    return await openPublishing(this.folder, keyring, this.#now());
  }
}

async function noPassphrase(file: string): Promise<string> {
  throw new PublishError(`${file}: expected a key without a passphrase`);
}
