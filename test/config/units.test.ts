import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration, parseSize } from '../../config/units.ts';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

for (const [what, units, parse] of [
  ['duration', MILLISECONDS, parseDuration],
  ['size', BYTES, parseSize],
] as const) {
  test(`a ${what} is its number times its unit`, () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...Object.entries(units)), (count, [unit, factor]) => {
        const amount = count * factor;
        assert.equal(parse(`${count}${unit}`), Number.isSafeInteger(amount) ? amount : undefined);
      }),
    );
  });

  test(`a ${what} is nothing but a whole number and a known unit`, () => {
    const written = new RegExp(`^(0|[1-9][0-9]*)(${Object.keys(units).join('|')})$`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.+ -]{0,4}[A-Za-z ]{0,4}$/)), (text) => {
        fc.pre(!written.test(text));
        assert.equal(parse(text), undefined);
      }),
    );
  });
}

test('texts that look like a quantity and are none', () => {
  for (const text of [
    '',
    '10',
    's',
    '1.5h',
    '-1s',
    '+1s',
    '1h30m',
    ' 1s',
    '1s ',
    '1S',
    '01s',
    '1e3s',
    '1constructor',
  ]) {
    assert.equal(parseDuration(text), undefined, text);
  }
  for (const text of ['', '50', '50gib', '50 GiB', '50G', '0x10B', '9007199254740993B', '9999999999TiB']) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test('a duration is written so that it reads back the same', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000), (count, factor) => {
      assert.equal(parseDuration(formatDuration(count * factor)), count * factor);
    }),
  );
  assert.equal(formatDuration(72 * 3_600_000), '3d');
  assert.equal(formatDuration(90_000), '90s');
});
