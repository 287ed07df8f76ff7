import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FillError } from '../../cache/blob-fill.ts';
import { content, HeldSource, serving } from './support/content.ts';
import { Reader } from './support/reader.ts';
import { openStore } from './support/store.ts';

const { bytes, digest, size } = content(300_000);

const RANGES: readonly { readonly what: string; readonly start: number; readonly end: number }[] = [
  { what: 'the first byte', start: 0, end: 0 },
  { what: 'the beginning', start: 0, end: 999 },
  { what: 'the middle', start: 100_000, end: 200_000 },
  { what: 'all but the last byte', start: 0, end: size - 2 },
  { what: 'the last byte', start: size - 1, end: size - 1 },
  { what: 'the end', start: 250_000, end: size - 1 },
  { what: 'the whole', start: 0, end: size - 1 },
];

for (const { what, start, end } of RANGES) {
  const wanted = bytes.subarray(start, end + 1);

  test(`a range of a running fill, ${what}: all but its last byte comes while filling, that after the check`, async (t) => {
    const { store } = await openStore(t);
    const held = new HeldSource();
    const reader = new Reader(store.fill(digest, size, held.source).follow({ start, end }));
    const upstream = await held.next();
    upstream.write(bytes);
    await reader.has(wanted.length - 1);
    assert.equal(reader.count, wanted.length - 1);
    upstream.end();
    const ending = await reader.ending;
    assert.equal(ending.clean, true);
    assert.ok(ending.bytes.equals(wanted));
  });

  test(`a range of content that fails its check, ${what}, is never complete`, async (t) => {
    const { store } = await openStore(t);
    const fill = store.fill(content(size, 'another').digest, size, serving(bytes));
    const ending = await new Reader(fill.follow({ start, end })).ending;
    assert.equal(ending.clean, false);
    assert.ok(ending.bytes.length < wanted.length);
    assert.ok(ending.error instanceof FillError);
  });

  test(`a range of stored content, ${what}, has exactly its bytes`, async (t) => {
    const { store } = await openStore(t);
    await store.put(digest, bytes);
    const blob = await store.open(digest);
    assert.ok(blob !== undefined);
    const ending = await new Reader(blob.stream({ start, end })).ending;
    assert.ok(ending.clean && ending.bytes.equals(wanted));
  });
}

test('the last byte asked for alone comes no sooner than with the rest', async (t) => {
  const { store } = await openStore(t);
  const held = new HeldSource();
  const fill = store.fill(digest, size, held.source);
  const most = new Reader(fill.follow({ start: 0, end: size - 2 }));
  const last = new Reader(fill.follow({ start: size - 1, end: size - 1 }));
  const upstream = await held.next();
  upstream.write(bytes);
  await most.has(size - 2);
  assert.equal(last.count, 0);
  upstream.end();
  assert.ok((await last.ending).clean && (await most.ending).clean);
});

for (const [start, end] of [
  [0, size],
  [size, size],
  [5, 4],
  [-1, 4],
  [0.5, 4],
] as const) {
  test(`a range ${start}-${end} of ${size} bytes is the caller's mistake`, async (t) => {
    const { store } = await openStore(t);
    const fill = store.fill(digest, size, serving(bytes));
    assert.throws(() => fill.follow({ start, end }), RangeError);
    await fill.done;
    const blob = await store.open(digest);
    assert.throws(() => blob?.stream({ start, end }), RangeError);
    await blob?.close();
  });
}
