/** trust.md 1.10, "Content", second part: documents that two readers would read as two different things, signed as they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notaryClient, outcomeOf, signedRepository } from '../support/notary-client.ts';

/** Changes the text of the targets file after it was signed. Where the meaning stays the same, so does the signature. */
const texts: readonly (readonly [cause: string, change: (text: string) => string, outcome: string])[] = [
  ['white space between the parts', (text) => text.replace('{"signed":', ' {\n\t"signed" :\r '), 'vouched'],
  ['a letter written as an escape', (text) => text.replace('"Targets"', '"\\u0054argets"'), 'vouched'],
  ['members in another order', (text) => text.replace('{"signed":', '{"other":[],"signed":'), 'vouched'],
  [
    'a member twice',
    (text) => text.replace('"_type":"Targets"', '"_type":"Targets","_type":"Targets"'),
    'METADATA_INVALID',
  ],
  ['signed twice', (text) => text.replace('{"signed":', '{"signed":{},"signed":'), 'METADATA_INVALID'],
  [
    'a member twice, once as an escape',
    (text) => text.replace('{"signed":', '{"\\u0073igned":{},"signed":'),
    'METADATA_INVALID',
  ],
  [
    '__proto__ as a member',
    (text) => text.replace('{"signed":', '{"__proto__":{"version":9},"signed":'),
    'METADATA_INVALID',
  ],
  [
    '__proto__ as an escape',
    (text) => text.replace('{"signed":', '{"__pro\\u0074o__":{},"signed":'),
    'METADATA_INVALID',
  ],
  ['a member in other capitals', (text) => text.replace('{"signed":', '{"Signed":{},"signed":'), 'METADATA_INVALID'],
  [
    'a member with a long s, which Go reads as s',
    (text) => text.replace('{"signed":', '{"\u017figned":{},"signed":'),
    'METADATA_INVALID',
  ],
  ['only capitals', (text) => text.replace('"version"', '"VERSION"'), 'METADATA_INVALID'],
  ['a fraction', (text) => text.replace('"version":1', '"version":1.0'), 'METADATA_INVALID'],
  ['an exponent', (text) => text.replace('"version":1', '"version":1e0'), 'METADATA_INVALID'],
  ['a leading zero', (text) => text.replace('"version":1', '"version":01'), 'METADATA_INVALID'],
  ['a minus before zero', (text) => text.replace('"version":1', '"version":-0'), 'METADATA_INVALID'],
  [
    'a number that is past 2^53',
    (text) => text.replace('"version":1', '"version":9007199254740993'),
    'METADATA_INVALID',
  ],
  ['a version of zero', (text) => text.replace('"version":1', '"version":0'), 'METADATA_INVALID'],
  ['a version below zero', (text) => text.replace('"version":1', '"version":-1'), 'METADATA_INVALID'],
  ['a version as text', (text) => text.replace('"version":1', '"version":"1"'), 'METADATA_INVALID'],
  ['no version', (text) => text.replace('"version":1', '"v":1'), 'METADATA_INVALID'],
  ['half a surrogate pair', (text) => text.replace('"1.0"', '"\\ud83d"'), 'METADATA_INVALID'],
  ['a raw control character', (text) => text.replace('"1.0"', '"1\n0"'), 'METADATA_INVALID'],
  ['an escape that JSON does not have', (text) => text.replace('"1.0"', '"\\x31"'), 'METADATA_INVALID'],
  ['an escape that is cut', (text) => text.replace('"1.0"', '"\\u12"'), 'METADATA_INVALID'],
  ['a comment', (text) => text.replace('{"signed":', '{/* */"signed":'), 'METADATA_INVALID'],
  ['a comma too many', (text) => text.replace(/\]\}$/, '],}'), 'METADATA_INVALID'],
  ['a bracket too few', (text) => text.slice(0, -1), 'METADATA_INVALID'],
  ['something after the end', (text) => `${text}{}`, 'METADATA_INVALID'],
  ['a byte order mark', (text) => `\ufeff${text}`, 'METADATA_INVALID'],
  ['a list in the place of an object', (text) => `[${text}]`, 'METADATA_INVALID'],
  ['a word that is none', (text) => text.replace('"version":1', '"version":nil'), 'METADATA_INVALID'],
  ['nothing', () => '', 'METADATA_INVALID'],
  [
    '33 levels',
    (text) => text.replace('{"signed":', `{"x":${'['.repeat(32)}${']'.repeat(32)},"signed":`),
    'METADATA_INVALID',
  ],
  ['levels without end', (text) => text.replace('{"signed":', `{"x":${'['.repeat(100_000)}`), 'METADATA_INVALID'],
  ['32 levels', (text) => text.replace('{"signed":', `{"x":${'['.repeat(31)}${']'.repeat(31)},"signed":`), 'vouched'],
  ['a time without a zone', (text) => text.replace(/("expires":"[^"]*)Z"/, '$1"'), 'METADATA_INVALID'],
  ['a time in words', (text) => text.replace(/"expires":"[^"]*"/, '"expires":"tomorrow"'), 'METADATA_INVALID'],
  [
    'a day that no calendar has',
    (text) => text.replace(/"expires":"[^"]*"/, '"expires":"2029-02-30T00:00:00Z"'),
    'METADATA_INVALID',
  ],
  [
    'an hour that no day has',
    (text) => text.replace(/"expires":"[^"]*"/, '"expires":"2029-02-20T24:00:00Z"'),
    'METADATA_INVALID',
  ],
  [
    'a zone that no place has',
    (text) => text.replace(/"expires":"[^"]*"/, '"expires":"2029-02-20T12:00:00+24:00"'),
    'METADATA_INVALID',
  ],
  ['a time as a number', (text) => text.replace(/"expires":"[^"]*"/, '"expires":1900000000'), 'METADATA_INVALID'],
];

for (const [cause, change, outcome] of texts) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = signedRepository();
    const before = repository.file('targets').toString('utf8');
    const after = change(before);
    assert.notEqual(after, before);
    repository.replace('targets', Buffer.from(after));
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('bytes that are not UTF-8: METADATA_INVALID', async (t) => {
  const repository = signedRepository();
  repository.replace(
    'targets',
    Buffer.from(repository.file('targets').toString('utf8').replace('1.0', '1\u00e9'), 'latin1'),
  );
  const { judge } = await notaryClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
});
