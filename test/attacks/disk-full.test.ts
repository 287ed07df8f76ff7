import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Disk } from '../../cache/disk.ts';
import { FillError } from '../../cache/fill-error.ts';
import { content, HeldSource, serving } from '../cache/support/content.ts';
import { diskWith, diskWriting, systemError } from '../cache/support/faulty-disk.ts';
import { Reader } from '../cache/support/reader.ts';
import { remount, smallDisk } from '../cache/support/small-disk.ts';
import { filesIn, openStore } from '../cache/support/store.ts';

const KiB = 1024;

test('what does not fit on the disk is refused before any source is asked', async (t) => {
  const folder = await smallDisk(t, 1024);
  if (folder === undefined) return;
  const { store } = await openStore(t, { folder });
  const { bytes, digest, size } = content(2000 * KiB);
  const source = serving(bytes);
  await assert.rejects(store.fill(digest, size, source).done, { name: 'FillError', kind: 'disk' });
  assert.deepEqual(source.offsets, []);
  const small = content(100 * KiB, 'small');
  await store.put(small.digest, small.bytes);
  assert.equal(store.count, 1);
});

test('a disk smaller than maxSize is made room on: the least recently used goes', async (t) => {
  const folder = await smallDisk(t, 1024);
  if (folder === undefined) return;
  const { store } = await openStore(t, { folder });
  const blobs = ['a', 'b', 'c', 'd', 'e'].map((seed) => content(300 * KiB, seed));
  for (const { digest, bytes } of blobs) await store.put(digest, bytes);
  const left = await Promise.all(
    blobs.map(async ({ digest, size }) => (await store.readAll(digest, size)) !== undefined),
  );
  assert.deepEqual(left.slice(-2), [true, true]);
  assert.equal(left[0], false);
});

test('a disk that fills up meanwhile fails the fill, cleanly; once there is room it works again', async (t) => {
  const folder = await smallDisk(t, 1024);
  if (folder === undefined) return;
  const { store } = await openStore(t, { folder });
  const { bytes, digest, size } = content(800 * KiB);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const reader = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes.subarray(0, 100 * KiB));
  await reader.has(100 * KiB);
  await writeFile(join(folder, 'of-another'), Buffer.alloc(600 * KiB));
  upstream.end(bytes.subarray(100 * KiB));
  const ending = await reader.ending;
  assert.ok(ending.error instanceof FillError && ending.error.kind === 'disk');
  assert.equal((ending.error.cause as NodeJS.ErrnoException).code, 'ENOSPC');
  assert.equal(ending.clean, false);
  assert.deepEqual(await filesIn(folder), ['of-another']);
  await rm(join(folder, 'of-another'));
  await store.fill(digest, size, serving(bytes)).done;
  assert.deepEqual(await store.readAll(digest, size), bytes);
});

test('a disk that becomes read-only fails fills and puts, and still serves what it has', async (t) => {
  const folder = await smallDisk(t, 4096);
  if (folder === undefined) return;
  const { store, log } = await openStore(t, { folder });
  const kept = content(100 * KiB, 'kept');
  const spoilt = content(100 * KiB, 'spoilt');
  await store.put(kept.digest, kept.bytes);
  await store.put(spoilt.digest, spoilt.bytes);
  const name = (await filesIn(folder)).find((file) => file.endsWith(spoilt.digest.slice('sha256:'.length))) ?? '';
  await writeFile(join(folder, name), content(100 * KiB, 'worm').bytes);
  await remount(folder, 'ro');
  const other = content(1000, 'other');
  await assert.rejects(store.fill(other.digest, other.size, serving(other.bytes)).done, { kind: 'disk' });
  await assert.rejects(store.put(other.digest, other.bytes), { kind: 'disk' });
  assert.deepEqual(await store.readAll(kept.digest, kept.size), kept.bytes);
  assert.equal(await store.open(spoilt.digest), undefined, 'what cannot be removed is still not served');
  assert.equal(await store.open(spoilt.digest), undefined, 'nor the second time');
  assert.equal(store.count, 2);
  await remount(folder, 'rw');
  assert.equal(await store.open(spoilt.digest), undefined);
  assert.equal(store.count, 1);
  assert.ok(log.at('error').length >= 1);
});

const refusing = (code: string) => () => Promise.reject(systemError(code));
const late = (code: string): Disk =>
  diskWriting((file) => ({
    write: (bytes, position) => (position > 50_000 ? refusing(code)() : file.write(bytes, position)),
  }));

const FAULTS: readonly { readonly what: string; readonly disk: Disk; readonly code: string }[] = [
  { what: 'lets no file be made', disk: diskWith({ create: refusing('EROFS') }), code: 'EROFS' },
  { what: 'is full from the first byte', disk: diskWriting(() => ({ write: refusing('ENOSPC') })), code: 'ENOSPC' },
  { what: 'is full half way', disk: late('ENOSPC'), code: 'ENOSPC' },
  { what: 'breaks half way', disk: late('EIO'), code: 'EIO' },
  { what: 'cannot be synced', disk: diskWriting(() => ({ sync: refusing('EIO') })), code: 'EIO' },
  { what: 'lets nothing be renamed', disk: diskWith({ rename: refusing('ENOSPC') }), code: 'ENOSPC' },
];

for (const { what, disk, code } of FAULTS) {
  test(`a disk that ${what} fails the fill as a fault of the disk: no complete body, nothing kept`, async (t) => {
    const { store, folder } = await openStore(t, { disk });
    const { bytes, digest, size } = content(200_000);
    const fill = store.fill(digest, size, serving(bytes));
    const ending = await new Reader(fill.follow()).ending;
    assert.ok(ending.error instanceof FillError && ending.error.kind === 'disk');
    assert.equal((ending.error.cause as NodeJS.ErrnoException).code, code);
    assert.ok(!ending.clean && ending.bytes.length < size);
    await assert.rejects(fill.done, (error) => error === ending.error);
    assert.deepEqual(await filesIn(folder), []);
    assert.deepEqual([store.bytes, store.count], [0, 0]);
    assert.equal(store.running(digest), undefined);
  });
}
