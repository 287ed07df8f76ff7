import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from '../../proxy/range.ts';

for (const [header, size, expected] of [
  [undefined, 10, undefined],
  ['bytes=0-4', 10, { start: 0, end: 4 }],
  ['bytes=5-', 10, { start: 5, end: 9 }],
  ['bytes=5-99', 10, { start: 5, end: 9 }],
  ['bytes=9-9', 10, { start: 9, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-30', 10, { start: 0, end: 9 }],
  ['bytes=0-1,3-4', 10, undefined],
  ['items=0-1', 10, undefined],
  ['bytes=4-2', 10, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=a-b', 10, undefined],
  [`bytes=0-${'9'.repeat(16)}`, 10, undefined],
] as const) {
  test(`${header} of ${size} bytes`, () => {
    assert.deepEqual(parseRange(header, size), expected);
  });
}

for (const [header, size] of [
  ['bytes=10-', 10],
  ['bytes=11-12', 10],
  ['bytes=-0', 10],
  ['bytes=0-0', 0],
] as const) {
  test(`${header} of ${size} bytes cannot be satisfied`, () => {
    assert.throws(() => parseRange(header, size), { code: 'RANGE_INVALID' });
  });
}
