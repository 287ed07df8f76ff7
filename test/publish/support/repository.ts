/**
 * A repository of ours in a folder of the test's own, its keys in memory, so that no passphrase takes time.
 *
 *   const repo = await TestRepository.found(t);
 *   await repo.vouch('docker.io/acme/app:1', image.bytes);
 *   repo.now = new Date(...);                                   // the clock is given
 *   await refresh(await repo.publishing({ without: ['snapshot'] }));
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../oci/digest.ts';
import { type Disk, NODE_DISK } from '../../../publish/disk.ts';
import { type Founding, found } from '../../../publish/found.ts';
import { generateKey, type SigningKey } from '../../../publish/key.ts';
import { Keyring } from '../../../publish/keyring.ts';
import type { Target, TopRole } from '../../../publish/metadata.ts';
import { openPublishing, type Publishing } from '../../../publish/publication.ts';
import { RepositoryFolder } from '../../../publish/repository-folder.ts';
import { DEFAULT_PERIODS } from '../../../publish/settings.ts';
import { imagesOf, type Signed, signImages } from '../../../publish/sign-targets.ts';
import type { Closing } from '../../support/fake-registry.ts';

export const PASSPHRASE = 'correct horse battery staple';
export const DAY = 86_400_000;

export async function temporaryFolder(t: Closing): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-publish-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export class TestRepository {
  readonly path: string;
  readonly keys: Record<TopRole, SigningKey[]>;
  now: Date;
  disk: Disk = NODE_DISK;

  private constructor(path: string, keys: Record<TopRole, SigningKey[]>, now: Date) {
    this.path = path;
    this.keys = keys;
    this.now = now;
  }

  static async found(t: Closing, wish: Partial<Founding> = {}): Promise<TestRepository> {
    const path = join(await temporaryFolder(t), 'repo');
    const keys: Record<TopRole, SigningKey[]> = { root: [], targets: [], snapshot: [], timestamp: [] };
    const makeKey = (role: TopRole) => {
      const key = wish.makeKey?.(role) ?? generateKey();
      keys[role].push(key);
      return key;
    };
    const standard = {
      rootKeys: 1,
      othersRootKeys: [],
      rootThreshold: 1,
      periods: DEFAULT_PERIODS,
      passphrase: undefined,
    };
    const now = wish.now ?? new Date();
    await found({ ...standard, now, ...wish, folder: new RepositoryFolder(path), makeKey });
    return new TestRepository(path, keys, now);
  }

  /** The same folder as it is now, somewhere else, for what must not touch this one. */
  async copy(t: Closing): Promise<TestRepository> {
    const path = join(await temporaryFolder(t), 'repo');
    await cp(this.path, path, { recursive: true });
    return new TestRepository(path, this.keys, this.now);
  }

  get folder(): RepositoryFolder {
    return new RepositoryFolder(this.path, this.disk);
  }

  get metadata(): string {
    return join(this.path, 'metadata');
  }

  /** @param hand which keys are at hand: all, but those of `without`, or none but `only` */
  async publishing(hand: { without?: readonly TopRole[]; only?: readonly SigningKey[] } = {}): Promise<Publishing> {
    const { folder } = this;
    const own = Object.entries(this.keys).flatMap(([role, keys]) =>
      hand.without?.includes(role as TopRole) ? [] : keys,
    );
    const none = await Keyring.open({ folders: [], passphrase: async () => PASSPHRASE });
    return await openPublishing(folder, none.with(...(hand.only ?? own)), this.now);
  }

  async vouch(
    path: string,
    bytes: Uint8Array,
    role = 'targets',
    hand: Parameters<TestRepository['publishing']>[0] = {},
  ): Promise<Signed> {
    const publishing = await this.publishing(hand);
    const images = imagesOf(publishing.repository, role);
    return await signImages(publishing, role, new Map([...images, [path, targetOf(bytes)]]));
  }
}

export function targetOf(bytes: Uint8Array): Target {
  return { length: bytes.byteLength, digest: digestOf(bytes) };
}
