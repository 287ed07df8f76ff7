import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean } from '../../config/suggest.ts';

const KNOWN = ['listen', 'data', 'upstreams', 'dct', 'require'];

test('a word one slip away from a known one is recognised', () => {
  for (const [word, meant] of [
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['Listen', 'listen'],
    ['upstream', 'upstreams'],
    ['dctt', 'dct'],
    ['dat', 'data'],
    ['requires', 'require'],
  ] as const) {
    assert.equal(didYouMean(word, KNOWN), `did you mean ${meant}?`);
  }
});

test('the nearest of several is meant', () => {
  assert.equal(didYouMean('release', ['releases', 'relapse2', 'released-by']), 'did you mean releases?');
});

test('a word far from all known ones is not guessed at', () => {
  for (const word of ['metadata', 'x', '', 'policy', 'x'.repeat(1000)])
    assert.equal(didYouMean(word, KNOWN), undefined);
  assert.equal(didYouMean('b', ['a']), undefined, 'one letter has nothing in common with another');
  assert.equal(didYouMean('anything', []), undefined);
});
