import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseToken } from '../../upstream/token.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const MINUTE_AGO = '2026-11-24T11:59:00Z';

function renewedAfter(answer: object): number {
  const token = parseToken(Buffer.from(JSON.stringify({ token: 'abc', ...answer })), 'auth.example', NOW);
  return (token.renewAt.getTime() - NOW.getTime()) / 1000;
}

for (const [what, answer, seconds] of [
  ['nothing said: a minute, less a quarter', {}, 45],
  ['five minutes, less thirty seconds', { expires_in: 300 }, 270],
  ['four seconds, less a quarter', { expires_in: 4 }, 3],
  ['a life already begun', { expires_in: 300, issued_at: MINUTE_AGO }, 210],
  ['dead on arrival: their clock is wrong', { expires_in: 30, issued_at: MINUTE_AGO }, 22.5],
  ['issued in the future: their clock is wrong', { expires_in: 300, issued_at: '2026-11-24T13:00:00Z' }, 270],
  ['issued at no time', { expires_in: 300, issued_at: 'yesterday' }, 270],
  ['a century', { expires_in: 3e9 }, 24 * 3600 - 30],
  ['less than nothing', { expires_in: -5 }, 45],
  ['no number', { expires_in: '300' }, 45],
] as const) {
  test(`a token is renewed in time: ${what}`, () => {
    assert.equal(renewedAfter(answer), seconds);
  });
}

test('a token comes under either name', () => {
  for (const answer of [{ token: 'abc' }, { access_token: 'abc' }, { token: '', access_token: 'abc' }]) {
    assert.equal(parseToken(Buffer.from(JSON.stringify(answer)), 'auth.example', NOW).bearer.reveal(), 'abc');
  }
});

for (const answer of [
  'null',
  '7',
  '[]',
  '{"token":""}',
  '{"token":null}',
  '{"token":"a b"}',
  '{"token":"a\\u00e9"}',
  '{"token":"a\\nb: c"}',
  '',
]) {
  test(`${answer || 'nothing'} is no token`, () => {
    assert.throws(() => parseToken(Buffer.from(answer), 'auth.example', NOW), { failure: 'bad-answer' });
  });
}
