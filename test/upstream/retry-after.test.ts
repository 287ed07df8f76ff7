import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter, RateLimits } from '../../upstream/retry-after.ts';

const NOW = new Date('2026-11-24T12:00:00Z');

for (const [text, seconds] of [
  ['0', 0],
  ['7', 7],
  ['3600', 3600],
  ['99999999999999999999', 3600],
  ['Tue, 24 Nov 2026 12:01:30 GMT', 90],
  ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
  ['Tue, 24 Nov 2099 12:00:00 GMT', 3600],
  [undefined, undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Infinity', undefined],
  ['2026', 2026],
  ['2026-11-24T12:01:30Z', undefined],
] as const) {
  test(`Retry-After ${JSON.stringify(text)} means ${seconds ?? 'nothing'}`, () => {
    assert.equal(parseRetryAfter(text, NOW), seconds);
  });
}

test('a limit is remembered for its host until it has passed, and only so many hosts', () => {
  const limits = new RateLimits();
  limits.remember('a.example', 10, NOW);
  assert.equal(limits.remaining('a.example', new Date(NOW.getTime() + 9500)), 1);
  assert.equal(limits.remaining('b.example', NOW), 0);
  assert.equal(limits.remaining('a.example', new Date(NOW.getTime() + 10_000)), 0);
  limits.remember('a.example', 10, NOW);
  for (let at = 0; at < 100; at += 1) limits.remember(`host-${at}.example`, 10, NOW);
  assert.equal(limits.remaining('a.example', NOW), 0);
  assert.equal(limits.remaining('host-99.example', NOW), 10);
});
