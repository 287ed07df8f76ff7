/**
 * A repository of ours in a folder of the test's own, and what is done to it.
 *
 *   const repo = await TestRepository.found(t);
 *   await repo.vouch('docker.io/acme/app:1', image.bytes);
 *   repo.now = new Date(...);                          // the clock is given
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../oci/digest.ts';
import { type Disk, NODE_DISK } from '../../../publish/disk.ts';
import { type Founded, type Founding, found } from '../../../publish/found.ts';
import { Keyring } from '../../../publish/keyring.ts';
import { loadRepository } from '../../../publish/load-repository.ts';
import type { Target } from '../../../publish/metadata.ts';
import type { Publishing } from '../../../publish/publication.ts';
import { RepositoryFolder } from '../../../publish/repository-folder.ts';
import { DEFAULT_PERIODS, type Periods } from '../../../publish/settings.ts';
import { type Signed, signersOfTargets, signImages } from '../../../publish/sign-targets.ts';
import type { Closing } from '../../support/fake-registry.ts';

export const PASSPHRASE = 'correct horse battery staple';

export async function temporaryFolder(t: Closing): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-publish-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export class TestRepository {
  readonly path: string;
  readonly founded: Founded;
  now: Date;
  disk: Disk = NODE_DISK;

  constructor(path: string, founded: Founded, now: Date) {
    this.path = path;
    this.founded = founded;
    this.now = now;
  }

  static async found(t: Closing, wish: Partial<Founding> & { periods?: Periods } = {}): Promise<TestRepository> {
    const path = join(await temporaryFolder(t), 'repo');
    const now = wish.now ?? new Date();
    const founding = {
      rootKeys: 1,
      othersRootKeys: [],
      rootThreshold: 1,
      periods: DEFAULT_PERIODS,
      passphrase: PASSPHRASE,
    };
    const founded = await found({ ...founding, now, ...wish, folder: new RepositoryFolder(path) });
    return new TestRepository(path, founded, now);
  }

  get folder(): RepositoryFolder {
    return new RepositoryFolder(this.path, this.disk);
  }

  get metadata(): string {
    return join(this.path, 'metadata');
  }

  /** @param keys instead of those in the repository's folders */
  async publishing(keys?: {
    readonly folders?: readonly string[];
    readonly files?: readonly string[];
  }): Promise<Publishing> {
    const { folder } = this;
    const keyring = await Keyring.open({
      folders: keys?.folders ?? [folder.onlineKeys, folder.offlineKeys],
      files: keys?.files ?? [],
      passphrase: async () => PASSPHRASE,
    });
    const repository = await loadRepository(folder);
    return { folder, repository, keyring, periods: await folder.periods(), now: this.now };
  }

  async vouch(path: string, bytes: Uint8Array, role = 'targets', keys?: { files: readonly string[] }): Promise<Signed> {
    const publishing = await this.publishing(
      keys === undefined ? undefined : { folders: [this.folder.onlineKeys], ...keys },
    );
    const { file } = signersOfTargets(publishing.repository, role);
    const images = new Map([...(file?.body.targets ?? []), [path, targetOf(bytes)] as const]);
    return await signImages(publishing, role, images);
  }
}

export function targetOf(bytes: Uint8Array): Target {
  return { length: bytes.byteLength, digest: digestOf(bytes) };
}
