import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../../trust/metadata/canonical-json.ts';
import { type Json, parseStrictJson } from '../../../trust/metadata/strict-json.ts';

const forms: readonly (readonly [what: string, value: Json, form: string])[] = [
  ['names sorted', { b: 1, a: 2, A: 3 }, '{"A":3,"a":2,"b":1}'],
  ['names sorted by bytes, not by UTF-16 units', { '\u{1f600}': 1, '\uffee': 2 }, '{"\uffee":2,"\u{1f600}":1}'],
  ['only quotes and backslashes escaped', 'a"b\\c/d<&>\u2028', '"a\\"b\\\\c/d<&>\u2028"'],
  ['control characters raw', 'a\nb\u0001', '"a\nb\u0001"'],
  ['nothing between the parts', [null, true, false, -1, [], {}], '[null,true,false,-1,[],{}]'],
  ['large numbers in full', 9007199254740991, '9007199254740991'],
];

for (const [what, value, form] of forms) {
  test(`canonical JSON has ${what}`, () => {
    assert.equal(canonicalJson(value).toString('utf8'), form);
  });
}

const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;

test('what JSON.stringify writes is read as what it was, and has one canonical form', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify(value, null, 1);
      const read = parseStrictJson(Buffer.from(text), 1_000_000, 'test');
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(text));
      assert.deepEqual(canonicalJson(read), canonicalJson(value));
    }),
    { numRuns: 300 },
  );
});

test('any bytes are read, or refused as METADATA_INVALID; nothing else happens', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e9"',
    '1',
    '-',
    '1.5',
    'null',
    'true',
    ' ',
    '"',
    '\\',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
      ),
      (text) => {
        let own: Json | undefined;
        try {
          own = parseStrictJson(Buffer.from(text), 1_000_000, 'test');
        } catch (error) {
          assert.equal(error instanceof Error && 'reason' in error && error.reason, 'METADATA_INVALID');
        }
        // What we accept, JSON.parse accepts too, as the same.
        if (own !== undefined) assert.deepEqual(JSON.parse(JSON.stringify(own)), JSON.parse(text));
      },
    ),
    { numRuns: 500 },
  );
});
