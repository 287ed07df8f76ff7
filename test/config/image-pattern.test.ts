import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Expected } from '../../config/schema/field.ts';
import { checkImagePattern } from '../../config/schema/image-pattern.ts';

test('patterns that some image name can match', () => {
  for (const pattern of [
    '**',
    '**/nginx',
    'docker.io/**',
    'docker.io/library/*',
    'docker.io/library/nginx',
    'docker.io/library/nginx:1.27',
    'docker.io/library/nginx:1.*-alpine',
    'corp/a__b/c--d/e.f:V*',
    'registry.example:5000/app',
    'registry.example:5000/**/app:latest',
    '*.example:5000/*',
    '*/**',
    'corp/**/base/**/x',
    '**:v1.*',
  ]) {
    assert.equal(checkImagePattern(pattern), pattern);
  }
});

const SHAPE = 'a pattern of lower-case name parts, *, ** and perhaps :tag at the end';

const REFUSED: readonly [pattern: string, expected: string, hint?: string][] = [
  [
    'nginx',
    'an upstream and a repository',
    'names begin with the upstream: docker.io/library/nginx; ** alone is every image',
  ],
  [
    '*',
    'an upstream and a repository',
    'names begin with the upstream: docker.io/library/nginx; ** alone is every image',
  ],
  [
    'docker.io:5000',
    'an upstream and a repository',
    'names begin with the upstream: docker.io/library/nginx; ** alone is every image',
  ],
  ['/docker.io/x', SHAPE, 'no slash at either end, and no two in a row'],
  ['docker.io/x/', SHAPE, 'no slash at either end, and no two in a row'],
  ['docker.io//x', SHAPE, 'no slash at either end, and no two in a row'],
  ['docker.io/Library/x', SHAPE, 'names of repositories have no capital letters'],
  ['docker.io/library/x@sha256:00', SHAPE, 'a pattern names repositories and tags, not digests'],
  ['https://docker.io/x', SHAPE, 'letters, digits, ".", "_", "-" and * between slashes'],
  ['docker.io/x:5/y', SHAPE, 'letters, digits, ".", "_", "-" and * between slashes'],
  ['docker.io/[ab]', SHAPE, 'letters, digits, ".", "_", "-" and * between slashes'],
  ['docker.io/../x', SHAPE, 'no name part begins or ends with ".", "_" or "-"'],
  ['docker.io/x-', SHAPE, 'no name part begins or ends with ".", "_" or "-"'],
  ['docker.io/x**', SHAPE, '** stands alone between slashes'],
  ['docker.io/x:**', SHAPE, '** stands alone between slashes'],
  ['docker.io/**/**', SHAPE, '**/** is **'],
  ['docker.io/x:', 'a tag after the last colon', 'letters, digits, "_", ".", "-" and *'],
  ['docker.io/x:a b', 'a tag after the last colon', 'letters, digits, "_", ".", "-" and *'],
  ['docker.io/x:-a', 'a tag after the last colon', 'letters, digits, "_", ".", "-" and *'],
  ['docker.io/x:a:b', SHAPE, 'letters, digits, ".", "_", "-" and * between slashes'],
  ['docker.io/*a*a*a*b', 'at most 3 * in a part'],
  ['docker.io/a:*a*a*a*b', 'at most 3 * in the tag'],
  ['docker.io/**/a/**/a/**/a/**', 'at most 3 ** in a pattern'],
  [`docker.io/${'a'.repeat(400)}`, 'a pattern of at most 384 characters'],
];

for (const [pattern, expected, hint] of REFUSED) {
  test(`no pattern: ${pattern.slice(0, 60)}`, () => {
    assert.throws(
      () => checkImagePattern(pattern),
      (error) => {
        assert.ok(error instanceof Expected);
        assert.deepEqual([error.expected, error.hint], [expected, hint]);
        return true;
      },
    );
  });
}

test('any text is either a pattern or refused as none', () => {
  const letters = fc.array(fc.constantFrom('a', 'B', '0', '/', '*', '**', ':', '.', '-', '_', '@', ' '), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        letters.map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          assert.equal(checkImagePattern(text), text);
          assert.match(text, /^[A-Za-z0-9._*/:-]+$/);
        } catch (error) {
          assert.ok(error instanceof Expected);
        }
      },
    ),
  );
});
