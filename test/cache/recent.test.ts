import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from '../../cache/recent.ts';

test('equal questions at once share one answer', async () => {
  const recent = new Recent<{ n: number }>(10, () => new Date(0));
  let found = 0;
  const find = async () => ({ n: ++found });
  const answers = await Promise.all([1, 2, 3].map(() => recent.get('k', find, () => 0)));
  assert.deepEqual(answers, [{ n: 1 }, { n: 1 }, { n: 1 }]);
});

test('equal questions at once share one error, and it is not kept', async () => {
  const recent = new Recent<object>(10, () => new Date(0));
  let asked = 0;
  const fail = async () => {
    asked += 1;
    throw new Error('no');
  };
  const results = await Promise.allSettled([1, 2, 3].map(() => recent.get('k', fail, () => 1000)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.equal(asked, 1);
  assert.deepEqual(
    await recent.get(
      'k',
      async () => ({ ok: true }),
      () => 1000,
    ),
    { ok: true },
  );
});

test('an answer is used again until its own time is over', async () => {
  let now = 0;
  const recent = new Recent<{ n: number }>(10, () => new Date(now));
  let found = 0;
  const ask = () =>
    recent.get(
      'k',
      async () => ({ n: ++found }),
      () => 100,
    );
  assert.equal((await ask()).n, 1);
  now = 99;
  assert.equal((await ask()).n, 1);
  now = 100;
  assert.equal((await ask()).n, 2);
});
