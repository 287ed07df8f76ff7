import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTextPattern, matchesPattern } from '../../../trust/sigstore/text-pattern.ts';

const TABLE: readonly [pattern: string, text: string, matches: boolean][] = [
  ['abc', 'abc', true],
  ['abc', 'abcd', false],
  ['abc', 'xabc', false],
  ['abc', '', false],
  ['', '', true],
  ['a.c', 'abc', false],
  ['(a|b)+', 'a', false],
  ['https://github.com/acme/*', 'https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main', true],
  ['https://github.com/acme/*', 'https://github.com/acme/', true],
  ['https://github.com/acme/*', 'https://github.com/acme', false],
  ['https://github.com/acme/*', 'https://github.com/acme-evil/app', false],
  ['https://github.com/acme/*', 'https://evil.example/https://github.com/acme/app', false],
  ['https://github.com/acme/*', 'https://github.com/acme/a b', false],
  ['https://github.com/acme/*', 'https://github.com/acme/a\nb', false],
  ['https://h/*/r.yml@refs/heads/main', 'https://h/app/r.yml@refs/heads/main', true],
  ['https://h/*/r.yml@refs/heads/main', 'https://h/app/x/r.yml@refs/heads/main', false],
  ['https://h/*/r.yml@refs/heads/main', 'https://h/x.yml@refs/heads/x/r.yml@refs/heads/main', false],
  ['https://h/*r.yml@refs/heads/main', 'https://h/x@evil/r.yml@refs/heads/main', false],
  ['https://h/a*b*c', 'https://h/abbbc', true],
  ['https://h/a*b*c', 'https://h/abbb', false],
  ['https://h/a*b*c', 'https://h/a/b/c', false],
  ['https://h/a**', 'https://h/a/b', true],
  ['*@acme.example', 'ci@acme.example', true],
  ['*@acme.example', 'ci@evil@acme.example', false],
  ['*@acme.example', 'ci@acme.example.evil', false],
  ['*@acme.example', '@acme.example', true],
];

for (const [pattern, text, matches] of TABLE) {
  test(`${JSON.stringify(pattern)} ${matches ? 'is' : 'is not'} ${JSON.stringify(text)}`, () => {
    assert.equal(matchesPattern(compileTextPattern(pattern), text), matches);
  });
}

test('a text made to be hard to match takes as long as an easy one', () => {
  const pattern = compileTextPattern(`https://h/${'a*'.repeat(8)}b`);
  // With backtracking this would be a matter of ages.
  assert.equal(matchesPattern(pattern, `https://h/${'a'.repeat(4000)}`), false);
  assert.equal(matchesPattern(compileTextPattern('https://h/*'), `https://h/${'a'.repeat(4096)}`), false, 'too long');
});
