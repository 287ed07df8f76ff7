import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Disk, nodeDisk } from '../../cache/disk.ts';
import { content, serving } from '../cache/support/content.ts';
import { diskReading, diskWith, systemError } from '../cache/support/faulty-disk.ts';
import { Reader } from '../cache/support/reader.ts';
import { filesIn, MiB, openStore } from '../cache/support/store.ts';
import { temporaryFolder } from '../cache/support/temporary-folder.ts';

const { bytes, digest, size } = content(2 * MiB);
const refusing = (code: string) => () => Promise.reject(systemError(code));

const FAULTS: readonly { readonly what: string; readonly disk: Disk }[] = [
  { what: 'cannot be opened (EIO)', disk: diskWith({ open: refusing('EIO') }) },
  { what: 'cannot be opened for want of file descriptors', disk: diskWith({ open: refusing('EMFILE') }) },
  { what: 'may not be opened', disk: diskWith({ open: refusing('EACCES') }) },
  { what: 'cannot be looked at', disk: diskReading(() => ({ facts: refusing('EIO') })) },
  { what: 'cannot be read', disk: diskReading(() => ({ read: refusing('EIO') })) },
  {
    what: 'cannot be read to its end',
    disk: diskReading((file) => ({
      read: (into, position) => (position > 0 ? refusing('EIO')() : file.read(into, position)),
    })),
  },
];

for (const { what, disk } of FAULTS) {
  test(`a cached file that ${what} is a miss and a warning, is fetched again, and is not thrown away for it`, async (t) => {
    const folder = await temporaryFolder(t);
    const first = await openStore(t, { folder });
    await first.store.put(digest, bytes);
    await first.store.close();
    const { store, log } = await openStore(t, { folder, disk });
    assert.equal(await store.open(digest), undefined);
    assert.equal(log.at('warn').length, 1);
    assert.equal(log.at('error').length, 0);
    assert.equal((await filesIn(folder)).length, 1);
    const source = serving(bytes, MiB);
    const fill = store.fill(digest, size, source);
    const ending = await new Reader(fill.follow()).ending;
    assert.ok(ending.clean && ending.bytes.equals(bytes));
    assert.deepEqual(source.offsets, [0]);
    assert.deepEqual([store.bytes, store.count], [size, 1]);
  });
}

test('a file that breaks under a reader cuts the reader off, and is fetched again by the next', async (t) => {
  let broken = false;
  const disk = diskReading((file) => ({
    read: (into, position) => (broken && position >= MiB ? refusing('EIO')() : file.read(into, position)),
  }));
  const { store, log } = await openStore(t, { disk });
  await store.put(digest, bytes);
  const stream = (await store.open(digest))?.stream();
  assert.ok(stream !== undefined);
  broken = true;
  const ending = await new Reader(stream).ending;
  assert.equal(ending.clean, false);
  assert.ok(ending.bytes.length < size);
  assert.ok(log.at('warn').length > 0);
  assert.equal(await store.open(digest), undefined);
  assert.equal(await store.readAll(digest, size), undefined);
});

test('a reader that leaves does not make the file doubtful', async (t) => {
  let read = 0;
  const disk = diskReading((file) => ({
    read: async (into, position) => {
      const count = await file.read(into, position);
      read += count;
      return count;
    },
  }));
  const { store, log } = await openStore(t, { disk });
  await store.put(digest, bytes);
  const stream = (await store.open(digest))?.stream();
  assert.ok(stream !== undefined);
  const reader = new Reader(stream);
  await reader.has(1);
  stream.destroy(new Error('the client left'));
  await reader.ending;
  const before = read;
  await (await store.open(digest))?.close();
  assert.equal(read, before, 'it is not hashed again');
  assert.equal(log.at('warn').length, 0);
});

test('a folder that cannot be listed is said at the start', async (t) => {
  const disk = diskWith({
    list: (folder) => (folder.endsWith('sha256') ? refusing('EIO')() : nodeDisk.list(folder)),
  });
  await assert.rejects(openStore(t, { disk }), { code: 'EIO' });
});

test('a file whose size cannot be found out at the start is left alone', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, { folder });
  await first.store.put(digest, bytes);
  const { store, log } = await openStore(t, { folder, disk: diskWith({ modifiedAt: refusing('EIO') }) });
  assert.equal(await store.open(digest), undefined);
  assert.equal(log.at('warn').length, 1);
  assert.equal((await filesIn(folder)).length, 1);
});
