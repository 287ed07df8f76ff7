import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTag } from '../../oci/reference.ts';
import { likeliestFirst } from '../../trust/tag-order.ts';

for (const [what, tags, expected] of [
  ['latest comes first', ['1.0', 'latest', 'stable'], ['latest', 'stable', '1.0']],
  ['versions are numbers, not text', ['1.9', '1.27', '1.10.2', '2'], ['2', '1.27', '1.10.2', '1.9']],
  ['dates too', ['nightly-20260131', 'nightly-20260201'], ['nightly-20260201', 'nightly-20260131']],
  ['of none there are none', [], []],
] as const) {
  test(`likeliest tags first: ${what}`, () => {
    assert.deepEqual(likeliestFirst(tags.map(parseTag)), expected);
  });
}
