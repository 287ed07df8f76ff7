import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Disk, nodeDisk } from '../../cache/disk.ts';
import { content, serving } from './support/content.ts';
import { diskWith, fileWith, systemError } from './support/faulty-disk.ts';
import { Reader } from './support/reader.ts';
import { filesIn, openStore } from './support/store.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const { bytes, digest, size } = content(5000);

/** The real disk, which writes down what a crash would see in which order. */
function recordingDisk(steps: string[]): Disk {
  return diskWith({
    create: async (path) => {
      const file = await nodeDisk.create(path);
      return fileWith(file, {
        write: async (piece, position) => {
          await file.write(piece, position);
          steps.push('write');
        },
        sync: async () => {
          await file.sync();
          steps.push('sync file');
        },
      });
    },
    makeFolder: async (path) => {
      await nodeDisk.makeFolder(path);
      steps.push('make folder');
    },
    rename: async (from, to) => {
      await nodeDisk.rename(from, to);
      steps.push('rename');
    },
    syncFolder: async (path) => {
      await nodeDisk.syncFolder(path);
      steps.push('sync folder');
    },
  });
}

test('content is synced before it gets its name, and the name before the last byte is released', async (t) => {
  const steps: string[] = [];
  const { store } = await openStore(t, { disk: recordingDisk(steps) });
  steps.length = 0;
  const reader = new Reader(store.fill(digest, size, serving(bytes, size)).follow());
  await reader.has(size);
  assert.deepEqual(steps, ['write', 'sync file', 'make folder', 'rename', 'sync folder']);
});

test('the order of use is synced before it replaces the last one', async (t) => {
  const steps: string[] = [];
  const { store } = await openStore(t, { disk: recordingDisk(steps) });
  await store.put(digest, bytes);
  steps.length = 0;
  await store.close();
  assert.deepEqual(steps, ['write', 'sync file', 'rename']);
});

test('an unfinished file that cannot be removed is said, spoils nothing, and goes at the next start', async (t) => {
  const folder = await temporaryFolder(t);
  const disk = diskWith({ remove: () => Promise.reject(systemError('EIO')) });
  const { store, log } = await openStore(t, { folder, disk });
  await assert.rejects(store.fill(digest, size - 1, serving(bytes)).done, { kind: 'mismatch' });
  assert.equal(log.at('warn').length, 1);
  assert.equal((await filesIn(folder)).length, 1);
  await store.put(digest, bytes);
  await openStore(t, { folder });
  assert.equal((await filesIn(folder)).length, 1);
});

test('an order of use that cannot be saved is said, and closing goes on', async (t) => {
  const disk = diskWith({ create: () => Promise.reject(systemError('ENOSPC')) });
  const { store, log } = await openStore(t, { disk });
  await store.close();
  assert.equal(log.at('warn').length, 1);
});

test('after it was closed the store fills nothing', async (t) => {
  const { store, folder } = await openStore(t);
  await store.close();
  await assert.rejects(store.fill(digest, size, serving(bytes)).done, { name: 'FillError' });
  assert.deepEqual(await filesIn(folder), []);
});
