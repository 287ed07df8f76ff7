import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { isSignedByPrehash } from '../../../trust/sigstore/ed25519ph.ts';
import { isSignedBy } from '../../../trust/sigstore/public-key.ts';

/** RFC 8032 section 7.3, the one vector of Ed25519ph. */
const KEY = keyOf(Buffer.from('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'hex'));
const SIGNATURE = Buffer.from(
  '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
    '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  'hex',
);
const MESSAGE = Buffer.from('abc');

/** The neutral point, whose y of 1 is written as 1 more than the field's prime; for it, the base point and 1 sign every message. */
const NEUTRAL = keyOf(littleEndian(2n ** 255n - 19n + 1n));
const SIGNED_BY_NEUTRAL = Buffer.concat([Buffer.from(`58${'66'.repeat(31)}`, 'hex'), littleEndian(1n)]);

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

describe('Ed25519ph', () => {
  test('the vector of RFC 8032 verifies, by itself and where a policy names the key', () => {
    assert.equal(isSignedByPrehash(KEY, MESSAGE, SIGNATURE), true);
    assert.equal(isSignedBy({ key: KEY }, MESSAGE, SIGNATURE), true);
  });

  test('a signature without the prehash is still one, and neither passes for the other', () => {
    const { publicKey: key, privateKey } = generateKeyPairSync('ed25519');
    const plain = sign(null, MESSAGE, privateKey);
    assert.equal(isSignedBy({ key }, MESSAGE, plain), true);
    assert.equal(isSignedByPrehash(key, MESSAGE, plain), false);
  });

  test('no changed bit verifies', () => {
    for (let bit = 0; bit < SIGNATURE.byteLength * 8; bit += 7) {
      const changed = Buffer.from(SIGNATURE);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(isSignedByPrehash(KEY, MESSAGE, changed), false, `bit ${bit}`);
    }
  });

  const refused: readonly [string, KeyObject, Uint8Array, Uint8Array][] = [
    ['another message', KEY, Buffer.from('abd'), SIGNATURE],
    ['another key', generateKeyPairSync('ed25519').publicKey, MESSAGE, SIGNATURE],
    ['the same signature with a number beyond the order', KEY, MESSAGE, raised(SIGNATURE)],
    ['one byte too few', KEY, MESSAGE, SIGNATURE.subarray(0, 63)],
    ['one byte too many', KEY, MESSAGE, Buffer.concat([SIGNATURE, Buffer.of(0)])],
    ['nothing', KEY, MESSAGE, Buffer.alloc(0)],
    ['zeros', KEY, MESSAGE, Buffer.alloc(64)],
    ['a key in a second writing, under which anything is signed', NEUTRAL, MESSAGE, SIGNED_BY_NEUTRAL],
    ['a key that is no point', keyOf(littleEndian(2n)), MESSAGE, SIGNATURE],
  ];
  for (const [what, key, message, signature] of refused) {
    test(`${what} is refused`, () => assert.equal(isSignedByPrehash(key, message, signature), false));
  }
});

/** S + L: congruent, and so the equation would hold for it. */
function raised(signature: Buffer): Buffer {
  const response = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
  return Buffer.concat([signature.subarray(0, 32), littleEndian(response + ORDER)]);
}

function littleEndian(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
}

function keyOf(point: Buffer): KeyObject {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex');
  return createPublicKey({ key: Buffer.concat([prefix, point]), format: 'der', type: 'spki' });
}
