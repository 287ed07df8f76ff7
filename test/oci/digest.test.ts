import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithmOf, DigestHash, digestOf, hexOf, isDigest, matchesDigest, parseDigest } from '../../oci/digest.ts';

const HELLO = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

test('a digest is computed, parsed and taken apart', () => {
  const digest = digestOf(Buffer.from('hello'));
  assert.equal(digest, HELLO);
  assert.equal(parseDigest(HELLO), digest);
  assert.equal(algorithmOf(digest), 'sha256');
  assert.equal(hexOf(digest), HELLO.slice(7));
});

test('sha512 digests are checked under their own algorithm', () => {
  const digest = digestOf(Buffer.from('hello'), 'sha512');
  assert.equal(digest.length, 'sha512:'.length + 128);
  assert.equal(algorithmOf(digest), 'sha512');
  assert.ok(matchesDigest(Buffer.from('hello'), digest));
  assert.ok(!matchesDigest(Buffer.from('hellp'), digest));
});

test('a running hash agrees with a hash of the whole', () => {
  const hash = new DigestHash('sha256');
  hash.update(Buffer.from('hel'));
  hash.update(Buffer.from('lo'));
  assert.equal(hash.digest(), HELLO);
});

for (const [what, text] of [
  ['nothing', ''],
  ['no algorithm', HELLO.slice(7)],
  ['an algorithm we cannot check', `md5:${'0'.repeat(32)}`],
  ['upper case', HELLO.toUpperCase()],
  ['a hex digit short', HELLO.slice(0, -1)],
  ['a hex digit more', `${HELLO}0`],
  ['sha512 with the length of sha256', HELLO.replace('sha256', 'sha512')],
  ['a path', `${HELLO}/../../etc/passwd`],
  ['a line more', `${HELLO}\n`],
] as const) {
  test(`${what} is not a digest`, () => {
    assert.equal(isDigest(text), false);
    assert.throws(() => parseDigest(text), { name: 'RegistryError', code: 'DIGEST_INVALID' });
  });
}

test('the error names what came, cut to a size that cannot flood a log', () => {
  assert.throws(
    () => parseDigest('x'.repeat(10_000)),
    (error: Error) => error.message.length < 250 && error.message.includes('xxx'),
  );
});
