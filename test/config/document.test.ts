import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfigDocument } from '../../config/document.ts';
import { glance } from './config-folder.ts';

const SYNTAX = 'well-formed YAML';

test('values come out plain, and every key and value knows its place', () => {
  const document = parseConfigDocument('a: 1\nb:\n  - x\n  - { c: true, 5000: ~ }\n"d e": text\n');
  assert.deepEqual(JSON.parse(JSON.stringify(document.value)), {
    a: 1,
    b: ['x', { c: true, 5000: null }],
    'd e': 'text',
  });
  assert.deepEqual(document.placeOf(['b', 1, 'c'], 'key'), { line: 4, column: 7 });
  assert.deepEqual(document.placeOf(['b', 1, 'c'], 'value'), { line: 4, column: 10 });
  assert.deepEqual(document.placeOf(['d e'], 'value'), { line: 5, column: 8 });
});

test('the place of what is missing is that of the thing it is missing from', () => {
  const document = parseConfigDocument('a:\n  b:\n    - c: 1\n');
  assert.deepEqual(document.placeOf(['a', 'x'], 'value'), { line: 1, column: 1 });
  assert.deepEqual(document.placeOf(['a', 'b', 0, 'x', 'y'], 'value'), { line: 3, column: 7 });
  assert.deepEqual(document.placeOf(['nowhere'], 'key'), { line: 1, column: 1 });
});

test('an alias stands for the value of its anchor', () => {
  const { value, problems } = parseConfigDocument('a: &x [1, 2]\nb: *x\n');
  assert.deepEqual(JSON.parse(JSON.stringify(value)), { a: [1, 2], b: [1, 2] });
  assert.deepEqual(problems, []);
});

test('a key written twice is a problem at its second place, and the rest is read on', () => {
  const { value, problems } = parseConfigDocument('a: 1\nb: { c: 1, c: 2 }\na: 3\n');
  assert.deepEqual(glance(problems), [
    '2:12 b.c: each key once, not "c" again (first in line 2)',
    '3:1 a: each key once, not "a" again (first in line 1)',
  ]);
  assert.notEqual(value, undefined);
});

test('keys named like parts of every object are keys like any other', () => {
  const { value } = parseConfigDocument('__proto__: { polluted: true }\nconstructor: 1\n');
  assert.deepEqual(Object.keys(Object(value)), ['__proto__', 'constructor']);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

const UNREADABLE: readonly [text: string, problem: string][] = [
  ['a: "x', `1:6 : ${SYNTAX}, not a quote, bracket, comma, colon or space too few`],
  ['a: [1, 2', `1:9 : ${SYNTAX}, not lines not indented alike, or a bracket that is never closed`],
  ['a:\n\t- b', `2:1 : ${SYNTAX}, not a tab as indentation; use spaces`],
  ['a: 1\n---\nb: 2', `2:1 : ${SYNTAX}, not a second document, after "---"; one file is one configuration`],
  ['a: **', '1:4 a: an anchor set earlier, not **; put text that begins with * in quotes'],
  ['a: *later\nb: &later 1', '1:4 a: an anchor set earlier, not *later; put text that begins with * in quotes'],
  ['? [a, b]\n: 1', '1:3 : a key of plain text, not none, or a key made of several values'],
];

for (const [text, problem] of UNREADABLE) {
  test(`not read: ${JSON.stringify(text)}`, () =>
    assert.deepEqual(glance(parseConfigDocument(text).problems), [problem]));
}

for (const text of ['a: !foo 1', 'a: !!binary aGk=', 'a: !!set { b }', 'a: @x', 'a: }', 'a: {registry}/{repository}']) {
  test(`not read, with a hint about quotes: ${text}`, () => {
    const { value, problems } = parseConfigDocument(text);
    assert.equal(value, undefined);
    assert.equal(problems[0]?.expected, SYNTAX);
    assert.match(problems[0]?.hint ?? '', /in quotes/);
  });
}

test('a syntax error repeats nothing of the text', () => {
  for (const text of [
    '- a\npassword: hunter2',
    'password: hunter2: x',
    'password: "hunter2',
    'p: {hunter2}}',
    'p: @hunter2',
  ]) {
    const { problems } = parseConfigDocument(text);
    assert.notEqual(problems.length, 0);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
  }
});

const BOMBS: readonly [name: string, text: string, expected: string][] = [
  ['nested lists', '['.repeat(20_000), SYNTAX],
  ['nested mappings', '{a: '.repeat(20_000), SYNTAX],
  ['properly closed nesting', `a: ${'['.repeat(40)}1${']'.repeat(40)}`, 'at most 32 levels of nesting'],
  ['a value inside itself', 'a: &a [*a]', 'at most 32 levels of nesting'],
  ['many aliases', `a: &a 1\nb: [${'*a, '.repeat(101)}]`, 'at most 100 aliases'],
  [
    'aliases of aliases',
    [
      'a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]',
      ...[1, 2, 3, 4, 5, 6, 7].map((n) => `a${n}: &a${n} [${`*a${n - 1}, `.repeat(8)}]`),
    ].join('\n'),
    'at most 100000 values',
  ],
];

for (const [name, text, expected] of BOMBS) {
  test(`a bomb made of ${name} is put down`, () => {
    const { value, problems } = parseConfigDocument(text);
    assert.equal(value, undefined);
    assert.equal(problems[0]?.expected, expected);
    assert.ok(problems.length <= 20);
  });
}

test('no text makes the reader throw, and what it does not read it has a problem with', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '"',
    "'",
    '|',
    '!',
    '#',
    '~',
    '---\n',
    '%',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
      ),
      (text) => {
        const { value, problems } = parseConfigDocument(text);
        if (value === undefined) assert.notEqual(problems.length, 0);
        for (const problem of problems) assert.ok((problem.line ?? 0) >= 1 && (problem.column ?? 0) >= 1);
      },
    ),
  );
});
