import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExpiry } from '../../../trust/metadata/expiry.ts';

for (const [text, moment] of [
  ['2036-11-21T04:43:32.630103509Z', '2036-11-21T04:43:32.630Z'],
  ['2116-07-03T18:08:08.423870533-05:00', '2116-07-03T23:08:08.423Z'],
  ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
  ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59.000Z'],
  ['2026-06-01t12:00:00.5z', '2026-06-01T12:00:00.500Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
] as const) {
  test(`${text} is ${moment}`, () => {
    assert.equal(parseExpiry(text, 'test').toISOString(), moment);
  });
}

for (const text of [
  '',
  'tomorrow',
  '2026-06-01',
  '2026-06-01 12:00:00Z',
  '2026-06-01T12:00:00',
  '2026-13-01T12:00:00Z',
  '2026-00-01T12:00:00Z',
  '2026-06-31T12:00:00Z',
  '2027-02-29T12:00:00Z',
  '2026-06-01T24:00:00Z',
  '2026-06-01T12:60:00Z',
  '2026-06-01T12:00:60Z',
  '2026-06-01T12:00:00.Z',
  '2026-06-01T12:00:00.1234567890Z',
  '2026-06-01T12:00:00+24:00',
  '2026-06-01T12:00:00+00:60',
  '+002026-06-01T12:00:00Z',
  ' 2026-06-01T12:00:00Z',
  '2026-06-01T12:00:00Z\n',
]) {
  test(`${JSON.stringify(text)} is no time: METADATA_INVALID`, () => {
    assert.throws(() => parseExpiry(text, 'test'), { reason: 'METADATA_INVALID' });
  });
}
