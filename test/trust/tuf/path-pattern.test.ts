import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern, parsePathPattern } from '../../../trust/tuf/path-pattern.ts';

const TABLE: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ['docker.io/acme/app:1', 'docker.io/acme/app:1', true],
  ['docker.io/acme/app:1', 'docker.io/acme/app:10', false],
  ['docker.io/acme/*', 'docker.io/acme/app:1', true],
  ['docker.io/acme/*', 'docker.io/acme/deep/app:1', false],
  ['docker.io/acme/*', 'docker.io/acme', false],
  ['docker.io/*/*', 'docker.io/acme/app:1', true],
  ['*', 'app:1', true],
  ['*', 'docker.io/app:1', false],
  ['**', 'docker.io/app:1', false],
  ['docker.io/acme/app:*', 'docker.io/acme/app:1.2', true],
  ['docker.io/acme/app:*', 'docker.io/acme/application:1.2', false],
  ['docker.io/acme/app:?', 'docker.io/acme/app:1', true],
  ['docker.io/acme/app:?', 'docker.io/acme/app:12', false],
  ['docker.io/acme/app:[0-9]*', 'docker.io/acme/app:1.2', true],
  ['docker.io/acme/app:[0-9]*', 'docker.io/acme/app:v1', false],
  ['docker.io/acme/app:[!v]*', 'docker.io/acme/app:v1', false],
  ['docker.io/acme/app:[!v]*', 'docker.io/acme/app:1', true],
  ['docker.io/acme/app:[ab]', 'docker.io/acme/app:b', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYbZ', false],
  ['docker.io/acme.*', 'docker.io/acmeX', false],
  ['DOCKER.io/*', 'docker.io/app:1', false],
];

for (const [pattern, path, matches] of TABLE) {
  test(`${pattern} ${matches ? 'covers' : 'does not cover'} ${path}`, () => {
    assert.equal(matchesPattern(parsePathPattern(pattern, 'acme'), path.split('/')), matches);
  });
}

test('a pattern of hundreds of stars ends: it would take longer than the world with a backtracking matcher', () => {
  const pattern = parsePathPattern(`${'*a'.repeat(200)}*b`, 'acme');
  assert.equal(matchesPattern(pattern, ['a'.repeat(384)]), false);
});
