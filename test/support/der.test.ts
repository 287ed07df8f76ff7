import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integer } from './der.ts';

for (const [what, bytes, encoded] of [
  ['leading zeros are dropped', [0, 0, 1, 2], '02020102'],
  ['a high first bit gets one zero', [0, 0x80], '02020080'],
  ['zero is one byte', [0, 0], '020100'],
] as const) {
  test(`an integer has the shortest form: ${what}`, () => {
    assert.equal(integer(Buffer.from(bytes)).toString('hex'), encoded);
  });
}
