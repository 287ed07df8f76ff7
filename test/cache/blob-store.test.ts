import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobPath } from '../../cache/blob-path.ts';
import { BlobStore } from '../../cache/blob-store.ts';
import { nodeDisk } from '../../cache/disk.ts';
import type { Digest } from '../../oci/digest.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { content, HeldSource, serving } from './support/content.ts';
import { diskWith } from './support/faulty-disk.ts';
import { Reader } from './support/reader.ts';
import { filesIn, openStore } from './support/store.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const { bytes, digest, size } = content(100_000);
const now = () => new Date('2026-11-24T00:00:00Z');

async function readBack(store: BlobStore, wanted: Digest): Promise<Buffer | undefined> {
  const blob = await store.open(wanted);
  return blob === undefined ? undefined : (await new Reader(blob.stream()).ending).bytes;
}

test('what was put is read back, and lies where its digest says', async (t) => {
  const { store, folder } = await openStore(t);
  await store.put(digest, bytes);
  assert.ok((await readBack(store, digest))?.equals(bytes));
  assert.deepEqual(await store.readAll(digest, size), bytes);
  const hex = digest.slice('sha256:'.length);
  assert.deepEqual(await filesIn(folder), [join('blobs', 'sha256', hex.slice(0, 2), hex)]);
  assert.deepEqual([store.bytes, store.count], [size, 1]);
});

test('content is for nobody else on the machine', async (t) => {
  const { store, folder } = await openStore(t);
  await store.put(digest, bytes);
  assert.equal((await stat(blobPath(folder, digest))).mode & 0o077, 0);
  assert.equal((await stat(join(folder, 'blobs'))).mode & 0o077, 0);
});

test('what is not here is undefined', async (t) => {
  const { store } = await openStore(t);
  assert.equal(await store.open(digest), undefined);
  assert.equal(await store.readAll(digest, size), undefined);
  assert.equal(store.running(digest), undefined);
});

test('content larger than the limit asked for is not here as what was asked for', async (t) => {
  const { store } = await openStore(t);
  await store.put(digest, bytes);
  assert.equal(await store.readAll(digest, size - 1), undefined);
});

test('bytes that are not what the digest says are not stored', async (t) => {
  const { store, folder } = await openStore(t);
  await assert.rejects(store.put(digest, content(size, 'another').bytes), { name: 'FillError', kind: 'mismatch' });
  assert.deepEqual(await filesIn(folder), []);
});

test('equal puts at once are one', async (t) => {
  const { store } = await openStore(t);
  await Promise.all([store.put(digest, bytes), store.put(digest, bytes), store.put(digest, bytes)]);
  assert.deepEqual([store.bytes, store.count], [size, 1]);
});

test('a put does not wait for a fill of the same content that stalls', async (t) => {
  const { store } = await openStore(t);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const upstream = await held.next();
  await store.put(digest, bytes);
  assert.ok((await readBack(store, digest))?.equals(bytes));
  upstream.end(bytes);
  await fill.done;
  assert.deepEqual([store.bytes, store.count], [size, 1]);
});

test('what was dropped is gone, from memory and disk', async (t) => {
  const { store, folder } = await openStore(t);
  await store.put(digest, bytes);
  await store.drop(digest);
  assert.equal(await store.open(digest), undefined);
  assert.deepEqual(await filesIn(folder), []);
  assert.deepEqual([store.bytes, store.count], [0, 0]);
  await store.drop(digest);
});

test('a file that somebody removed is a miss, without a word, and no longer counted', async (t) => {
  const { store, folder, log } = await openStore(t);
  await store.put(digest, bytes);
  await rm(blobPath(folder, digest));
  assert.equal(await store.open(digest), undefined);
  assert.deepEqual([store.bytes, store.count], [0, 0]);
  assert.deepEqual(log.at('warn'), []);
});

test('a reader gets every byte of content dropped while it reads', async (t) => {
  const { store } = await openStore(t);
  const large = content(3_000_000);
  await store.put(large.digest, large.bytes);
  const stream = (await store.open(large.digest))?.stream();
  assert.ok(stream !== undefined);
  stream.read(0);
  await store.drop(large.digest);
  assert.ok((await new Reader(stream).ending).bytes.equals(large.bytes));
});

test('an opened blob is used once', async (t) => {
  const { store } = await openStore(t);
  await store.put(digest, bytes);
  const blob = await store.open(digest);
  assert.ok(blob !== undefined);
  await new Reader(blob.stream()).ending;
  assert.throws(() => blob.stream(), /streamed or closed/);
  await blob.close();
  const unused = await store.open(digest);
  await unused?.close();
  assert.throws(() => unused?.stream(), /streamed or closed/);
});

test('a restart finds what is there, whole, and removes what was unfinished', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, { folder });
  await first.store.put(digest, bytes);
  const other = content(10, 'other', 'sha512');
  await first.store.fill(other.digest, other.size, serving(other.bytes)).done;
  await first.store.close();
  await writeFile(join(folder, 'tmp', 'blob-unfinished'), 'half');
  await writeFile(join(folder, 'tmp', 'of-another'), 'not ours');
  const { store } = await openStore(t, { folder });
  assert.deepEqual([store.bytes, store.count], [size + 10, 2]);
  assert.ok((await readBack(store, digest))?.equals(bytes));
  assert.ok((await readBack(store, other.digest))?.equals(other.bytes));
  assert.deepEqual(
    (await filesIn(folder)).filter((name) => name.startsWith('tmp')),
    [join('tmp', 'of-another')],
  );
});

test('files with names that are not ours are left alone, not counted, and said so', async (t) => {
  const folder = await temporaryFolder(t);
  const foreign = [
    join('blobs', 'sha256', 'ab', 'notes.txt'),
    join('blobs', 'sha256', 'ab', digest.slice('sha256:'.length).replace(/^../, 'cd')),
    join('blobs', 'sha256', 'backup', 'x'),
    join('blobs', 'sha256', 'README'),
  ];
  for (const name of foreign) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), 'foreign');
  }
  const { store, log } = await openStore(t, { folder });
  assert.deepEqual([store.bytes, store.count], [0, 0]);
  assert.deepEqual((await filesIn(folder)).sort(), [...foreign].sort());
  assert.equal(log.at('warn').length, 1);
});

test('the least recently used is forgotten first, also after a restart', async (t) => {
  const folder = await temporaryFolder(t);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((seed) => content(1000, seed));
  assert.ok(a && b && c && d);
  const first = await openStore(t, { folder, maxSize: 3000 });
  for (const blob of [a, b, c]) await first.store.put(blob.digest, blob.bytes);
  await (await first.store.open(a.digest))?.close();
  await first.store.close();
  const { store } = await openStore(t, { folder, maxSize: 3000 });
  await store.put(d.digest, d.bytes);
  assert.equal(await store.open(b.digest), undefined, 'b was used longest ago');
  for (const blob of [a, c, d]) assert.ok((await readBack(store, blob.digest))?.equals(blob.bytes));
  assert.deepEqual([store.bytes, store.count], [3000, 3]);
});

for (const saved of ['', 'rubbish\n\0\n', undefined]) {
  test(`without a usable order of use (${JSON.stringify(saved)}) the time of writing counts`, async (t) => {
    const folder = await temporaryFolder(t);
    const blobs = ['a', 'b', 'c'].map((seed) => content(1000, seed));
    const first = await openStore(t, { folder });
    for (const [at, blob] of blobs.entries()) {
      await first.store.put(blob.digest, blob.bytes);
      await utimes(blobPath(folder, blob.digest), 0, 1000 - at);
    }
    await first.store.close();
    await rm(join(folder, 'blobs', 'recency'));
    if (saved !== undefined) await writeFile(join(folder, 'blobs', 'recency'), saved);
    const { store } = await openStore(t, { folder, maxSize: 2000 });
    const left = await Promise.all(blobs.map(async (blob) => (await readBack(store, blob.digest)) !== undefined));
    assert.deepEqual(left, [true, true, false], 'the last was written longest ago');
  });
}

test('a smaller maxSize after a restart is honoured at once', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, { folder });
  for (const seed of ['a', 'b', 'c', 'd']) {
    const blob = content(1000, seed);
    await first.store.put(blob.digest, blob.bytes);
  }
  await first.store.close();
  const { store } = await openStore(t, { folder, maxSize: 2500 });
  assert.deepEqual([store.bytes, store.count], [2000, 2]);
  assert.equal((await filesIn(folder)).length, 2);
});

test('the order of use is saved every few minutes of use, so that a crash forgets little of it', async (t) => {
  const folder = await temporaryFolder(t);
  const recency = join(folder, 'blobs', 'recency');
  const saved = Promise.withResolvers<void>();
  const disk = diskWith({
    rename: async (from, to) => {
      await nodeDisk.rename(from, to);
      if (to === recency) saved.resolve();
    },
  });
  let time = now().getTime();
  const store = await BlobStore.open({
    folder,
    maxSize: 1e6,
    log: new RecordingLog(),
    now: () => new Date(time),
    disk,
  });
  t.after(() => store.close());
  await store.put(digest, bytes);
  time += 6 * 60_000;
  await store.open(digest).then((blob) => blob?.close());
  await saved.promise;
  assert.equal(await readFile(recency, 'utf8'), `${digest} ${size}\n`);
});

test('a file that only points elsewhere is checked like any other', async (t) => {
  const folder = await temporaryFolder(t);
  const path = blobPath(folder, digest);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(join(folder, 'elsewhere'), content(size, 'another').bytes);
  await symlink(join(folder, 'elsewhere'), path);
  const { store } = await openStore(t, { folder });
  assert.equal(await store.open(digest), undefined);
});
