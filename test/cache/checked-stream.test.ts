import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { checked } from '../../cache/checked-stream.ts';
import { FillError } from '../../cache/fill-error.ts';
import { content, piecesOf, tampered } from './support/content.ts';
import { Reader } from './support/reader.ts';

const { bytes, digest, size } = content(100_000);

test('the last byte is held back until the source has ended and agrees', async () => {
  const source = new PassThrough();
  const reader = new Reader(checked(source, { digest, size }));
  source.write(bytes);
  await reader.has(size - 1);
  assert.equal(reader.count, size - 1);
  source.end();
  const ending = await reader.ending;
  assert.ok(ending.clean && ending.bytes.equals(bytes));
});

for (const piece of [1, 999, 1000, size]) {
  test(`bytes that come ${piece} at a time come out whole`, async () => {
    const ending = await new Reader(checked(Readable.from(piecesOf(bytes, piece)), { digest, size })).ending;
    assert.ok(ending.clean && ending.bytes.equals(bytes));
  });
}

test('sha512 content is checked with sha512', async () => {
  const other = content(1000, 'content', 'sha512');
  const ending = await new Reader(checked(Readable.from(piecesOf(other.bytes, 100)), other)).ending;
  assert.ok(ending.clean && ending.bytes.equals(other.bytes));
});

test('empty content ends with nothing', async () => {
  const ending = await new Reader(checked(Readable.from([]), content(0))).ending;
  assert.ok(ending.clean && ending.bytes.length === 0);
});

const LIES: readonly { readonly what: string; readonly sent: Uint8Array }[] = [
  { what: 'its first byte changed', sent: tampered(bytes, 0) },
  { what: 'its last byte changed', sent: tampered(bytes, size - 1) },
  { what: 'one byte too few', sent: bytes.subarray(0, -1) },
  { what: 'one byte too many', sent: Buffer.concat([bytes, Buffer.from('x')]) },
  { what: 'no bytes', sent: Buffer.alloc(0) },
];

for (const { what, sent } of LIES) {
  test(`content with ${what} never comes whole and never ends`, async () => {
    const source = Readable.from(piecesOf(sent, 1000));
    const ending = await new Reader(checked(source, { digest, size })).ending;
    assert.ok(ending.error instanceof FillError && ending.error.kind === 'mismatch');
    assert.ok(!ending.clean && ending.bytes.length < size);
    assert.equal(source.destroyed, true);
  });
}

test('a byte where none should be is an error, not an end', async () => {
  const ending = await new Reader(checked(Readable.from([Buffer.from('x')]), content(0))).ending;
  assert.ok(ending.error instanceof FillError && !ending.clean && ending.bytes.length === 0);
});

test('a source that is cut off, also behind its last byte, is never an end', async () => {
  for (const sent of [0, 50_000, size]) {
    const source = new PassThrough();
    const reader = new Reader(checked(source, { digest, size }));
    source.write(bytes.subarray(0, sent));
    await reader.has(Math.min(sent, size - 1));
    const reset = new Error('connection reset');
    source.destroy(reset);
    const ending = await reader.ending;
    assert.ok(ending.error instanceof FillError && ending.error.kind === 'source' && ending.error.cause === reset);
    assert.ok(!ending.clean && ending.bytes.length < size);
  }
});

test('a reader that leaves closes the source, even one that stalls', async () => {
  const source = new PassThrough();
  const reader = new Reader(checked(source, { digest, size }));
  source.write(bytes.subarray(0, 1000));
  await reader.has(1000);
  const closed = new Promise((resolve) => source.once('close', resolve));
  reader.leave();
  await closed;
  assert.equal(source.destroyed, true);
});

test('a failure before anyone listens does not end the process', async () => {
  const stream = checked(Readable.from([tampered(bytes, 0)]), { digest, size });
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
  assert.ok(stream.errored instanceof FillError);
});
