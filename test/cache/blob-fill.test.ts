import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FillError } from '../../cache/blob-fill.ts';
import { content, HeldSource, serving } from './support/content.ts';
import { Reader } from './support/reader.ts';
import { filesIn, MiB, openStore } from './support/store.ts';

test('while the source has not ended, a reader of all bytes has all but the last, and gets that after the check', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(300_000);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const reader = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes);
  await reader.has(size - 1);
  assert.equal(reader.count, size - 1);
  upstream.end();
  const ending = await reader.ending;
  assert.equal(ending.clean, true);
  assert.deepEqual(ending.bytes, bytes);
});

test('a source that brings all bytes and then fails its digest leaves every reader one byte short, with an error', async (t) => {
  const { store, folder } = await openStore(t);
  const { bytes } = content(300_000);
  const wanted = content(300_000, 'another').digest;
  const held = new HeldSource();
  const fill = store.fill(wanted, bytes.length, held.source);
  const reader = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes);
  await reader.has(bytes.length - 1);
  upstream.end();
  const ending = await reader.ending;
  assert.equal(ending.bytes.length, bytes.length - 1);
  assert.equal(ending.clean, false);
  assert.ok(ending.error instanceof FillError);
  assert.equal(ending.error.kind, 'mismatch');
  await assert.rejects(fill.done, (error) => error === ending.error);
  assert.deepEqual(await filesIn(folder), []);
});

test('fifty readers share one fetch, and each gets every byte', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(2 * MiB);
  const source = serving(bytes, 64 * 1024);
  const readers = Array.from({ length: 50 }, () => new Reader(store.fill(digest, size, source).follow()));
  for (const reader of readers) {
    const ending = await reader.ending;
    assert.equal(ending.clean, true);
    assert.ok(ending.bytes.equals(bytes));
  }
  assert.deepEqual(source.offsets, [0]);
});

test('a reader that comes late gets the bytes from the first on', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(100_000);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const early = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes.subarray(0, 70_000));
  await early.has(70_000);
  assert.equal(store.running(digest), fill);
  const late = new Reader(fill.follow());
  await late.has(70_000);
  upstream.end(bytes.subarray(70_000));
  assert.ok((await late.ending).bytes.equals(bytes));
  assert.ok((await early.ending).bytes.equals(bytes));
});

test('a reader that comes after the end, when all others have left, gets the bytes too', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(100_000);
  const fill = store.fill(digest, size, serving(bytes));
  await fill.done;
  assert.equal(store.running(digest), undefined);
  const endings = await Promise.all([new Reader(fill.follow()).ending, new Reader(fill.follow()).ending]);
  for (const ending of endings) assert.ok(ending.clean && ending.bytes.equals(bytes));
});

test('a reader of a fill that has failed gets the same error', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest } = content(1000);
  const fill = store.fill(digest, 999, serving(bytes));
  const error = await fill.done.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  const ending = await new Reader(fill.follow()).ending;
  assert.equal(ending.error, error);
  assert.equal(ending.bytes.length, 0);
});

test('a failure before anyone listens does not end the process', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest } = content(1000);
  const stream = store.fill(digest, 999, serving(bytes)).follow();
  await new Promise((resolve) => stream.once('close', resolve));
  assert.ok(stream.errored instanceof FillError);
});

test('a reader that leaves, and a fill nobody reads, change nothing: the content is kept', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(100_000);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const reader = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes.subarray(0, 50_000));
  await reader.has(50_000);
  reader.leave();
  await reader.ending;
  upstream.end(bytes.subarray(50_000));
  await fill.done;
  assert.deepEqual(await store.readAll(digest, size), bytes);
});

test('a reader that reads nothing delays neither the fill nor the others', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(8 * MiB);
  const fill = store.fill(digest, size, serving(bytes, 64 * 1024));
  const stalled = fill.follow();
  stalled.read(0);
  const ending = await new Reader(fill.follow()).ending;
  assert.ok(ending.bytes.equals(bytes));
  await fill.done;
  assert.ok(stalled.readableLength <= MiB / 2, 'one buffer is kept in memory for it');
  assert.ok((await new Reader(stalled).ending).bytes.equals(bytes), 'and it still gets every byte');
});

for (const algorithm of ['sha256', 'sha512'] as const) {
  test(`empty content (${algorithm}) ends, after the check, with nothing`, async (t) => {
    const { store, folder } = await openStore(t);
    const { digest } = content(0, '', algorithm);
    const held = new HeldSource();
    const reader = new Reader(store.fill(digest, 0, held.source).follow());
    const upstream = await held.next();
    upstream.end();
    const ending = await reader.ending;
    assert.equal(ending.clean, true);
    assert.equal(ending.bytes.length, 0);
    assert.equal((await filesIn(folder)).length, 1);
    assert.equal((await store.readAll(digest, 0))?.length, 0);
  });
}

test('a reader of what should be empty and is not gets an error, not an end', async (t) => {
  const { store } = await openStore(t);
  const ending = await new Reader(store.fill(content(0).digest, 0, serving(Buffer.from('x'))).follow()).ending;
  assert.equal(ending.clean, false);
  assert.ok(ending.error instanceof FillError);
});

test('sha512 content is checked with sha512', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(10_000, 'content', 'sha512');
  assert.ok((await new Reader(store.fill(digest, size, serving(bytes)).follow()).ending).bytes.equals(bytes));
  const other = content(10_000, 'other', 'sha512');
  const ending = await new Reader(store.fill(other.digest, size, serving(bytes)).follow()).ending;
  assert.ok(ending.error instanceof FillError && ending.error.kind === 'mismatch');
});

test('who says another size gets an error of their own and spoils nothing for the others', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(1000);
  const lie = store.fill(digest, size + 1, serving(bytes));
  const truth = store.fill(digest, size, serving(bytes));
  await truth.done;
  await assert.rejects(lie.done, { name: 'FillError', kind: 'mismatch' });
  await assert.rejects(store.fill(digest, size - 1, serving(bytes)).done, { name: 'FillError', kind: 'mismatch' });
  assert.deepEqual(await store.readAll(digest, size), bytes);
});

test('a fill of what got here meanwhile asks no source', async (t) => {
  const { store } = await openStore(t);
  const { bytes, digest, size } = content(1000);
  await store.put(digest, bytes);
  const source = serving(bytes);
  assert.ok((await new Reader(store.fill(digest, size, source).follow()).ending).bytes.equals(bytes));
  assert.deepEqual(source.offsets, []);
});
