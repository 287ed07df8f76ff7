import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { FillError } from '../../cache/blob-fill.ts';
import { PROGRESS_WORTH_A_TRY, type Source, TRIES } from '../../cache/resumed-source.ts';
import { content, HeldSource, piecesOf, serving, tampered } from './support/content.ts';
import { Reader } from './support/reader.ts';
import { filesIn, MiB, openStore } from './support/store.ts';

const { bytes, digest, size } = content(100_000);

/** Brings bytes up to each of these offsets, then fails; after the last of them, all there is. */
function cutAt(whole: Uint8Array, cuts: readonly number[]): Source & { readonly offsets: number[] } {
  const offsets: number[] = [];
  const source = async (offset: number) => {
    const cut = cuts[offsets.length];
    offsets.push(offset);
    if (cut === undefined) return Readable.from(piecesOf(whole.subarray(offset), 64 * 1024));
    return Readable.from(piecesThenError(whole.subarray(offset, cut)));
  };
  return Object.assign(source, { offsets });
}

function* piecesThenError(part: Uint8Array): Generator<Uint8Array> {
  yield* piecesOf(part, 64 * 1024);
  throw new Error('connection reset');
}

for (const cut of [0, 1, 50_000, size - 1]) {
  test(`cut off after ${cut} bytes, the source is asked for the rest from there`, async (t) => {
    const { store } = await openStore(t);
    const source = cutAt(bytes, [cut]);
    const ending = await new Reader(store.fill(digest, size, source).follow()).ending;
    assert.ok(ending.clean && ending.bytes.equals(bytes));
    assert.deepEqual(source.offsets, [0, cut]);
  });
}

test('cut off behind the last byte, the source is not asked again, and the check decides', async (t) => {
  const { store } = await openStore(t);
  const good = cutAt(bytes, [size]);
  await store.fill(digest, size, good).done;
  assert.deepEqual(good.offsets, [0]);
  const bad = cutAt(bytes, [size]);
  await assert.rejects(store.fill(content(size, 'another').digest, size, bad).done, { kind: 'mismatch' });
});

test('cut off in several places, the content still arrives whole', async (t) => {
  const { store } = await openStore(t);
  const source = cutAt(bytes, [10, 70_000, 70_000, 99_999]);
  await store.fill(digest, size, source).done;
  assert.deepEqual(source.offsets, [0, 10, 70_000, 70_000, 99_999]);
});

test(`cut off ${TRIES} times without progress, the source is given up, and nothing is kept`, async (t) => {
  const { store, folder } = await openStore(t);
  const source = cutAt(
    bytes,
    Array.from({ length: 100 }, () => 40_000),
  );
  const fill = store.fill(digest, size, source);
  const reader = new Reader(fill.follow());
  const ending = await reader.ending;
  assert.ok(ending.error instanceof FillError && ending.error.kind === 'source');
  assert.match(String(ending.error.cause), /connection reset/);
  assert.ok(ending.bytes.length < size && !ending.clean);
  assert.equal(source.offsets.length, TRIES);
  assert.deepEqual(await filesIn(folder), []);
});

test('tries are earned back by progress, so that large content over a bad line arrives', async (t) => {
  const { store } = await openStore(t, { maxSize: 200 * MiB });
  const large = content(PROGRESS_WORTH_A_TRY * (TRIES + 2));
  const cuts = Array.from({ length: TRIES + 1 }, (_, at) => PROGRESS_WORTH_A_TRY * (at + 1));
  const source = cutAt(large.bytes, cuts);
  await store.fill(large.digest, large.size, source).done;
  assert.equal(source.offsets.length, TRIES + 2);
});

test('a source that cannot be opened is not asked again, and its error is the cause', async (t) => {
  const { store } = await openStore(t);
  const refusal = new Error('404');
  let asked = 0;
  const fill = store.fill(digest, size, async () => {
    asked += 1;
    throw refusal;
  });
  await assert.rejects(
    fill.done,
    (error) => error instanceof FillError && error.kind === 'source' && error.cause === refusal,
  );
  assert.equal(asked, 1);
});

const LIES: readonly { readonly what: string; readonly sent: Uint8Array }[] = [
  { what: 'its first byte changed', sent: tampered(bytes, 0) },
  { what: 'a byte in the middle changed', sent: tampered(bytes, 50_000) },
  { what: 'its last byte changed', sent: tampered(bytes, size - 1) },
  { what: 'one byte too few', sent: bytes.subarray(0, size - 1) },
  { what: 'one byte too many', sent: Buffer.concat([bytes, Buffer.from('x')]) },
  { what: 'no bytes', sent: Buffer.alloc(0) },
  { what: 'other bytes', sent: content(size, 'another').bytes },
];

for (const { what, sent } of LIES) {
  test(`content with ${what} is a mismatch: never complete, nothing kept, and fetched again when asked for`, async (t) => {
    const { store, folder, log } = await openStore(t);
    const ending = await new Reader(store.fill(digest, size, serving(sent)).follow()).ending;
    assert.ok(ending.error instanceof FillError && ending.error.kind === 'mismatch');
    assert.equal(ending.clean, false);
    assert.ok(ending.bytes.length < size);
    assert.equal(await store.open(digest), undefined);
    assert.deepEqual(await filesIn(folder), []);
    assert.equal(store.bytes, 0);
    assert.equal(log.at('error').length, 1);
    await store.fill(digest, size, serving(bytes)).done;
    assert.deepEqual(await store.readAll(digest, size), bytes);
  });
}

test('an endless body ends the fill at the first byte too many', async (t) => {
  const { store, folder } = await openStore(t);
  let sent = 0;
  const endless = async () =>
    new Readable({
      read() {
        sent += 1000;
        this.push(Buffer.alloc(1000));
      },
    });
  await assert.rejects(store.fill(digest, size, endless).done, { kind: 'mismatch' });
  assert.ok(sent < size + MiB);
  assert.deepEqual(await filesIn(folder), []);
});

test('closing the store ends a fill under way, its readers and its source, and keeps nothing of it', async (t) => {
  const { store, folder } = await openStore(t);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const reader = new Reader(fill.follow());
  const upstream = await held.next();
  upstream.write(bytes.subarray(0, 50_000));
  await reader.has(50_000);
  await store.close();
  const ending = await reader.ending;
  assert.ok(ending.error instanceof FillError && !ending.clean);
  assert.equal(upstream.destroyed, true);
  assert.deepEqual(await filesIn(folder), []);
});

test('closing the store does not wait for a source that does not answer, and closes what it brings too late', async (t) => {
  const { store } = await openStore(t);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Readable>();
  const fill = store.fill(digest, size, () => {
    asked.resolve();
    return answer.promise;
  });
  await asked.promise;
  await store.close();
  await assert.rejects(fill.done, { kind: 'source' });
  const late = Readable.from(piecesOf(bytes, 1000));
  answer.resolve(late);
  await new Promise((resolve) => late.once('close', resolve));
  assert.equal(late.destroyed, true);
});
