import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from '../../proxy/within.ts';

const late = () => new Error('late');

test('what comes in time, good or bad, is passed on', async () => {
  assert.equal(await within(Promise.resolve(1), 60_000, late), 1);
  await assert.rejects(within(Promise.reject(new Error('bad')), 60_000, late), /bad/);
});

test('what does not come in time is late', async () => {
  await assert.rejects(within(new Promise(() => undefined), 1, late), /late/);
});
