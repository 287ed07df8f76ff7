import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/registry-error.ts';
import { type Attempt, attempted, better, isPlainlyAdmitted, settled } from '../../proxy/attempt.ts';
import { type Admitted, refused, undetermined } from '../../trust/verdict.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';

const plain: Admitted = {
  outcome: 'admitted',
  digest: digestOf(Buffer.from('a')),
  rule: 'policy[0]',
  evidence: [],
  validUntil: new Date(0),
};
const no = refused('NOT_SIGNED', 'no');
const maybe = undetermined('TRUST_UNREACHABLE', 'maybe');
const down = new UpstreamError('unreachable', 'down');
const gone = new RegistryError('MANIFEST_UNKNOWN', 'gone');

/** From the one that counts most to those that count least, equals together. */
const RANKS: readonly (readonly Attempt[])[] = [
  [{ verdict: plain }],
  [{ verdict: { ...plain, warning: no } }],
  [{ verdict: maybe }, { error: down }],
  [{ verdict: no }, { error: gone }],
];

test('of two ways the better counts, in whichever order they come; of equals the first', () => {
  for (const [rank, attempts] of RANKS.entries()) {
    for (const attempt of attempts) {
      assert.equal(better(undefined, attempt), attempt);
      for (const equal of attempts) assert.equal(better(attempt, equal), attempt);
      for (const worse of RANKS.slice(rank + 1).flat()) {
        assert.equal(better(attempt, worse), attempt);
        assert.equal(better(worse, attempt), attempt);
      }
    }
  }
});

test('only what is admitted without a warning is plainly admitted', () => {
  assert.ok(isPlainlyAdmitted(plain));
  for (const verdict of [{ ...plain, warning: no }, no, maybe]) assert.ok(!isPlainlyAdmitted(verdict));
});

test('trouble of the upstream or of the asker is an attempt; anything else is a bug, and goes on as one', async () => {
  assert.deepEqual(await attempted(Promise.resolve(no)), { verdict: no });
  for (const error of [down, gone]) {
    const attempt = await attempted(Promise.reject(error));
    assert.deepEqual(attempt, { error });
    assert.throws(() => settled(attempt), error);
  }
  await assert.rejects(attempted(Promise.reject(new TypeError('a bug'))), { name: 'TypeError' });
  assert.equal(settled({ verdict: maybe }), maybe);
});
