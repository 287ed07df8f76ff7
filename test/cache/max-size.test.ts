import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../cache/disk.ts';
import { content, HeldSource, serving } from './support/content.ts';
import { diskWith, diskWriting } from './support/faulty-disk.ts';
import { Reader } from './support/reader.ts';
import { filesIn, openStore } from './support/store.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const KB = 1000;

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await filesIn(folder)) {
    sum += await stat(join(folder, name)).then(
      ({ size }) => size,
      // Removed since it was listed.
      () => 0,
    );
  }
  return sum;
}

test('under load the disk never has more than maxSize and one fill, and every reader gets every byte', async (t) => {
  const folder = await temporaryFolder(t);
  const maxSize = 100 * KB;
  const largest = 60 * KB;
  let most = 0;
  const disk = diskWriting((file) => ({
    write: async (bytes, position) => {
      await file.write(bytes, position);
      most = Math.max(most, await bytesIn(folder));
    },
  }));
  const { store } = await openStore(t, { folder, maxSize, disk });
  const blobs = Array.from({ length: 24 }, (_, at) => content(((at % 6) + 1) * 10 * KB, `${at}`));
  for (let at = 0; at < blobs.length; at += 4) {
    const readings = blobs.slice(at, at + 4).map(async ({ bytes, digest, size }) => {
      const ending = await new Reader(store.fill(digest, size, serving(bytes, 5 * KB)).follow()).ending;
      // Fills that do not fit beside each other are told to do without the disk.
      if (ending.clean) assert.ok(ending.bytes.equals(bytes));
      else assert.match(String(ending.error?.message), /room/);
    });
    await Promise.all(readings);
  }
  assert.ok(most > maxSize / 2, 'the disk was used');
  assert.ok(most <= maxSize + largest, `at most ${maxSize + largest} bytes, got ${most}`);
  assert.ok(store.bytes <= maxSize);
  assert.equal(await bytesIn(folder), store.bytes);
});

test('content larger than maxSize is served to who is there, and gone after the last of them', async (t) => {
  const { store, folder } = await openStore(t, { maxSize: 50 * KB });
  const kept = content(40 * KB, 'kept');
  await store.put(kept.digest, kept.bytes);
  const { bytes, digest, size } = content(200 * KB);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const early = new Reader(fill.follow());
  const slow = fill.follow();
  const upstream = await held.next();
  upstream.end(bytes);
  assert.ok((await early.ending).bytes.equals(bytes));
  await fill.done;
  assert.equal(store.running(digest), fill, 'who comes while it is being read joins');
  const late = new Reader(store.fill(digest, size, serving(bytes)).follow());
  assert.ok((await late.ending).bytes.equals(bytes));
  assert.deepEqual(held.offsets, [0]);
  assert.ok((await new Reader(slow).ending).bytes.equals(bytes));
  assert.equal(store.running(digest), undefined);
  assert.equal(await store.open(digest), undefined);
  assert.equal((await filesIn(folder)).length, 1);
  assert.deepEqual(await store.readAll(kept.digest, kept.size), kept.bytes, 'nothing was evicted for it');
});

test('content that may not stay is checked like any other', async (t) => {
  const { store, folder } = await openStore(t, { maxSize: 10 * KB });
  const { bytes, size } = content(20 * KB);
  const ending = await new Reader(store.fill(content(size, 'another').digest, size, serving(bytes)).follow()).ending;
  assert.ok(!ending.clean && ending.bytes.length < size);
  assert.deepEqual(await filesIn(folder), []);
});

test('bytes larger than the cache can be put, and are not kept', async (t) => {
  const { store } = await openStore(t, { maxSize: 10 });
  const { bytes, digest } = content(100);
  await store.put(digest, bytes);
  assert.equal(await store.open(digest), undefined);
});

test('content is readable while and after it is evicted', async (t) => {
  const { store } = await openStore(t, { maxSize: 3_000_000 });
  const first = content(2_500_000, 'first');
  await store.put(first.digest, first.bytes);
  const stream = (await store.open(first.digest))?.stream();
  assert.ok(stream !== undefined);
  stream.read(0);
  const second = content(2_500_000, 'second');
  await store.put(second.digest, second.bytes);
  assert.equal(await store.open(first.digest), undefined);
  assert.ok((await new Reader(stream).ending).bytes.equals(first.bytes));
});

test('what a failed removal leaves on disk is counted, and found again', async (t) => {
  const stuck = content(40 * KB, 'stuck');
  const disk = diskWith({
    remove: async (path) => {
      if (path.endsWith(stuck.digest.slice('sha256:'.length))) throw new Error('EPERM: made by the test');
      await nodeDisk.remove(path);
    },
  });
  const { store, folder } = await openStore(t, { maxSize: 100 * KB, disk });
  await store.put(stuck.digest, stuck.bytes);
  for (const seed of ['a', 'b', 'c']) {
    const { bytes, digest } = content(40 * KB, seed);
    await store.put(digest, bytes);
  }
  assert.deepEqual(await store.readAll(stuck.digest, stuck.size), stuck.bytes);
  assert.equal(await bytesIn(folder), store.bytes);
  assert.ok(store.bytes <= 100 * KB);
});
