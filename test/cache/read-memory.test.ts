import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadBuffers } from '../../cache/read-buffers.ts';
import { content, serving } from './support/content.ts';
import { diskReading } from './support/faulty-disk.ts';
import { Reader } from './support/reader.ts';
import { MiB, openStore } from './support/store.ts';

test('all readers together read ahead at most 64 MiB, until there are thousands', () => {
  const buffers = new ReadBuffers();
  for (let readers = 1; readers <= 4096; readers += 1) {
    buffers.join();
    assert.ok(buffers.size * readers <= 64 * MiB);
    assert.ok(buffers.size >= 16 * 1024 && buffers.size <= 512 * 1024);
  }
  for (let readers = 4096; readers > 1; readers -= 1) buffers.leave();
  assert.equal(buffers.size, 512 * 1024);
});

test('for a reader that takes nothing, one buffer is read and no more', async (t) => {
  let read = 0;
  const disk = diskReading((file) => ({
    read: async (into, position) => {
      const count = await file.read(into, position);
      read += count;
      return count;
    },
  }));
  const { store } = await openStore(t, { disk });
  const { bytes, digest, size } = content(8 * MiB);
  await store.put(digest, bytes);
  const stream = (await store.open(digest))?.stream();
  assert.ok(stream !== undefined);
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.read(0);
  // Other reads take their turn behind any that this stream had asked for.
  for (let turn = 0; turn < 5; turn += 1) await store.open(digest).then((blob) => blob?.close());
  assert.equal(read, MiB / 2);
  assert.ok((await new Reader(stream).ending).bytes.equals(bytes));
  assert.equal(read, size);
});

test('a stored file that got shorter under a reader is an error, never an end', async (t) => {
  const disk = diskReading((file) => ({
    read: (into, position) => (position >= MiB ? Promise.resolve(0) : file.read(into, position)),
  }));
  const { store, log } = await openStore(t, { disk });
  const { bytes, digest, size } = content(2 * MiB);
  await store.fill(digest, size, serving(bytes, MiB)).done;
  const stream = (await store.open(digest))?.stream();
  assert.ok(stream !== undefined);
  const ending = await new Reader(stream).ending;
  assert.equal(ending.clean, false);
  assert.equal(ending.bytes.length, MiB);
  assert.equal(log.at('warn').length, 1);
  assert.equal(await store.open(digest), undefined, 'it is doubted, checked again and found wanting');
});
