import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { BlobStore, type BlobStoreOptions } from '../../../cache/blob-store.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const MiB = 1024 * 1024;

export interface OpenedStore {
  readonly store: BlobStore;
  readonly folder: string;
  readonly log: RecordingLog;
}

/** A store in a folder of the test's own, or the given one; closed after the test. */
export async function openStore(
  t: Pick<TestContext, 'after'>,
  options: Partial<Omit<BlobStoreOptions, 'log'>> = {},
): Promise<OpenedStore> {
  const folder = options.folder ?? (await temporaryFolder(t));
  const log = new RecordingLog();
  const now = () => new Date('2026-11-24T00:00:00Z');
  const store = await BlobStore.open({ maxSize: 64 * MiB, now, ...options, folder, log });
  t.after(() => store.close());
  return { store, folder, log };
}

/** Every file that holds content, or was to: paths below the data folder, without the saved order of use. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'recency')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
