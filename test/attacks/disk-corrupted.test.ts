import assert from 'node:assert/strict';
import { appendFile, open, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { blobPath } from '../../cache/blob-path.ts';
import { content, serving, tampered } from '../cache/support/content.ts';
import { diskReading } from '../cache/support/faulty-disk.ts';
import { Reader } from '../cache/support/reader.ts';
import { filesIn, openStore } from '../cache/support/store.ts';
import { temporaryFolder } from '../cache/support/temporary-folder.ts';

const { bytes, digest, size } = content(300_000);

/** Turns one bit in place and puts the time of writing back, as a careful intruder would. */
async function turnBit(path: string, at: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(tampered(bytes, at), at, 1, at);
  await file.utimes(atime, mtime);
  await file.close();
}

const DAMAGE: readonly { readonly what: string; readonly damage: (path: string) => Promise<void> }[] = [
  { what: 'whose first byte changed', damage: (path) => turnBit(path, 0) },
  { what: 'with a bit turned in the middle', damage: (path) => turnBit(path, 150_000) },
  { what: 'whose last byte changed', damage: (path) => turnBit(path, size - 1) },
  { what: 'cut short', damage: (path) => truncate(path, size - 1) },
  { what: 'emptied', damage: (path) => truncate(path, 0) },
  { what: 'grown', damage: (path) => appendFile(path, 'x') },
  { what: 'overwritten with zeros', damage: (path) => writeFile(path, Buffer.alloc(size)) },
  {
    what: 'replaced by another of the same size and time',
    damage: async (path) => {
      const { atime, mtime } = await stat(path);
      await writeFile(`${path}.new`, content(size, 'another').bytes);
      await utimes(`${path}.new`, atime, mtime);
      await rename(`${path}.new`, path);
    },
  },
];

for (const { what, damage } of DAMAGE) {
  for (const when of ['while running', 'before a restart'] as const) {
    test(`a cached file ${what}, ${when}, is found, dropped, fetched again and never served`, async (t) => {
      const folder = await temporaryFolder(t);
      let opened = await openStore(t, { folder });
      await opened.store.put(digest, bytes);
      await (await opened.store.open(digest))?.close();
      if (when === 'before a restart') {
        await opened.store.close();
        await damage(blobPath(folder, digest));
        opened = await openStore(t, { folder });
      } else {
        await damage(blobPath(folder, digest));
      }
      const { store, log } = opened;
      assert.equal(await store.open(digest), undefined);
      assert.equal(await store.readAll(digest, size), undefined);
      assert.deepEqual(await filesIn(folder), []);
      assert.deepEqual([store.bytes, store.count], [0, 0]);
      assert.equal(log.at('error').length, 1);
      const source = serving(bytes);
      const ending = await new Reader(store.fill(digest, size, source).follow()).ending;
      assert.ok(ending.clean && ending.bytes.equals(bytes));
      assert.deepEqual(source.offsets, [0]);
    });
  }
}

test('a fill that finds the stored file corrupted fetches it', async (t) => {
  const { store, folder } = await openStore(t);
  await store.put(digest, bytes);
  await turnBit(blobPath(folder, digest), 5);
  const source = serving(bytes);
  const ending = await new Reader(store.fill(digest, size, source).follow()).ending;
  assert.ok(ending.clean && ending.bytes.equals(bytes));
  assert.deepEqual(source.offsets, [0]);
});

/** A disk on which rot sets in without the file system knowing, and which counts the bytes read. */
function rottingDisk() {
  const state = { rotten: false, read: 0 };
  const disk = diskReading((file) => ({
    read: async (into, position) => {
      const count = await file.read(into, position);
      state.read += count;
      if (state.rotten && count > 0) into[0] = (into[0] ?? 0) ^ 1;
      return count;
    },
  }));
  return { state, disk };
}

const HOUR = 3_600_000;

test('rot that the file system does not notice is found once the last check is a day old', async (t) => {
  const { state, disk } = rottingDisk();
  let time = Date.parse('2026-11-24T00:00:00Z');
  const { store } = await openStore(t, { disk, now: () => new Date(time) });
  await store.put(digest, bytes);
  time += 23 * HOUR;
  await (await store.open(digest))?.close();
  assert.equal(state.read, 0, 'checked as it was written: not again within the day');
  time += 1 * HOUR;
  await (await store.open(digest))?.close();
  assert.equal(state.read, size, 'a day later it is read whole, once');
  await (await store.open(digest))?.close();
  assert.equal(state.read, size);
  state.rotten = true;
  time += 24 * HOUR;
  assert.equal(await store.open(digest), undefined);
  assert.equal(store.count, 0);
});

test('a clock that was set back makes no check last longer', async (t) => {
  const { state, disk } = rottingDisk();
  let time = Date.parse('2026-11-24T00:00:00Z');
  const { store } = await openStore(t, { disk, now: () => new Date(time) });
  await store.put(digest, bytes);
  time -= 1000 * HOUR;
  await (await store.open(digest))?.close();
  assert.equal(state.read, size);
});

test('how long a check lasts can be set', async (t) => {
  const { state, disk } = rottingDisk();
  const { store } = await openStore(t, { disk, reverify: 0 });
  await store.put(digest, bytes);
  state.rotten = true;
  assert.equal(await store.open(digest), undefined);
});

test('after a restart a file is hashed before it is handed out: once, however many ask', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, { folder });
  await first.store.put(digest, bytes);
  await first.store.close();
  const { state, disk } = rottingDisk();
  const { store } = await openStore(t, { folder, disk });
  const blobs = await Promise.all(Array.from({ length: 20 }, () => store.open(digest)));
  assert.equal(state.read, size);
  for (const blob of blobs) {
    assert.ok(blob !== undefined);
    assert.ok((await new Reader(blob.stream()).ending).bytes.equals(bytes));
  }
});

test('a file that is written to while it is checked is not handed out on the strength of that check', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, { folder });
  await first.store.put(digest, bytes);
  await first.store.close();
  const path = blobPath(folder, digest);
  let touched = 0;
  const disk = diskReading((file) => ({
    read: async (into, position) => {
      const count = await file.read(into, position);
      // Behind the check's back, when it has read everything: the right bytes were seen, other ones are there now.
      if (count === 0) {
        touched += 1;
        await utimes(path, touched, touched);
      }
      return count;
    },
  }));
  const { store, log } = await openStore(t, { folder, disk });
  assert.equal(await store.open(digest), undefined);
  assert.ok(touched > 1, 'it was checked again');
  assert.equal(log.at('warn').length, 1);
});
