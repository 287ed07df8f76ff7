import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageName, parseReference, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import { compilePattern, coversRepository, findRule, type Rule } from '../../trust/rule.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function named(text: string): ImageName {
  const slash = text.indexOf('/');
  return { upstream: parseUpstreamName(text.slice(0, slash)), repository: parseRepositoryName(text.slice(slash + 1)) };
}

function rule(id: string, ...patterns: string[]): Rule {
  return { id, patterns: patterns.map(compilePattern), mode: 'enforce', unsafeAllowUnsigned: true, maxAge: 1000 };
}

for (const [pattern, name, reference, covered] of [
  ['docker.io/library/*', 'docker.io/library/nginx', '1', true],
  ['docker.io/library/*', 'docker.io/library/a/b', '1', false],
  ['docker.io/library/*', 'docker.io/libraryx/nginx', '1', false],
  ['docker.io/library/*', 'dockerxio/library/nginx', '1', false],
  ['docker.io/library/*', 'evil.io/docker.io/library/nginx', '1', false],
  ['registry.k8s.io/**', 'registry.k8s.io/pause', '1', true],
  ['registry.k8s.io/**', 'registry.k8s.io/a/b/c', '1', true],
  ['registry.k8s.io/**', 'registry.k8s.iox/a', '1', false],
  ['**', 'ghcr.io/acme/app', '1', true],
  ['**/app', 'ghcr.io/app', '1', true],
  ['**/app', 'ghcr.io/acme/app', '1', true],
  ['**/app', 'ghcr.io/acme/xapp', '1', false],
  ['ghcr.io/**/app', 'ghcr.io/app', '1', true],
  ['ghcr.io/**/app', 'ghcr.io/a/b/app', '1', true],
  ['ghcr.io/acme/app-*', 'ghcr.io/acme/app-web', '1', true],
  ['ghcr.io/acme/app-*', 'ghcr.io/acme/app', '1', false],
  ['corp/app:1.*', 'corp/app', '1.27', true],
  ['corp/app:1.*', 'corp/app', '1x27', false],
  ['corp/app:1.*', 'corp/app', '2.0', false],
  ['corp/app:1.*', 'corp/app', DIGEST, false],
  ['corp/app', 'corp/app', DIGEST, true],
  ['127.0.0.1:5001/**', '127.0.0.1:5001/app', '1', true],
  ['127.0.0.1:5001/app:v*', '127.0.0.1:5001/app', 'v1', true],
  ['*.example/app', 'a.example/app', '1', true],
  ['*.example/app', 'a.b.example/app', '1', true],
  ['*/app', 'ghcr.io/acme/app', '1', false],
] as const) {
  test(`${pattern} ${covered ? 'covers' : 'does not cover'} ${name} ${reference.slice(0, 10)}`, () => {
    assert.equal(findRule([rule('r', pattern)], named(name), parseReference(reference)) !== undefined, covered);
  });
}

test('the first rule that matches wins', () => {
  const rules = [rule('first', 'corp/a/*', 'corp/b'), rule('second', 'corp/**')];
  assert.equal(findRule(rules, named('corp/b'), parseReference('1'))?.id, 'first');
  assert.equal(findRule(rules, named('corp/c'), parseReference('1'))?.id, 'second');
  assert.equal(findRule(rules, named('other/c'), parseReference('1')), undefined);
});

test('a repository is covered when any of its tags could be', () => {
  const rules = [rule('r', 'corp/app:1.*')];
  assert.ok(coversRepository(rules, named('corp/app')));
  assert.ok(!coversRepository(rules, named('corp/other')));
});
