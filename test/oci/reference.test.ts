import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  imageText,
  isUpstreamName,
  parseReference,
  parseRepositoryName,
  parseTag,
  parseUpstreamName,
} from '../../oci/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test('names, tags and references of real images are accepted', () => {
  for (const name of ['nginx', 'library/nginx', 'a/b/c/d', 'my_app', 'my__app', 'a.b', 'a--b', '0/1']) {
    assert.equal(parseRepositoryName(name), name);
  }
  for (const tag of ['latest', '1.27', 'v1_2-3', '_x', 'A'.repeat(128)]) assert.equal(parseTag(tag), tag);
  assert.deepEqual(parseReference('1.27'), { kind: 'tag', tag: '1.27' });
  assert.deepEqual(parseReference(DIGEST), { kind: 'digest', digest: DIGEST });
});

for (const name of [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '.',
  '..',
  'a/../b',
  '../etc',
  'A',
  'a b',
  'a%2fb',
  'a\\b',
  'a:b',
  'a@b',
  '-a',
  'a-',
  '_a',
  'a___b',
  'a..b',
  'a\n',
  'a\u0000',
  'ä',
  `${'a/'.repeat(127)}aa`,
  '__proto__',
]) {
  test(`${JSON.stringify(name.slice(0, 20))} is not a repository name`, () => {
    assert.throws(() => parseRepositoryName(name), { code: 'NAME_INVALID' });
  });
}

for (const tag of ['', '.a', '-a', 'a/b', 'a b', 'A'.repeat(129), 'a\n', '%61', '*']) {
  test(`${JSON.stringify(tag.slice(0, 20))} is not a tag`, () => {
    assert.throws(() => parseTag(tag), { code: 'TAG_INVALID' });
  });
}

for (const upstream of ['', '-a', 'a-', 'a/b', 'A.b', 'a:', 'a:123456', 'a b', '[::1]', 'a\n']) {
  test(`${JSON.stringify(upstream)} is not the name of an upstream`, () => {
    assert.throws(() => parseUpstreamName(upstream), { code: 'NAME_INVALID' });
  });
}

test('hosts with and without a port are names of upstreams', () => {
  for (const name of ['docker.io', 'corp', 'registry.example:5000', '127.0.0.1:5001']) assert.ok(isUpstreamName(name));
});

test('the text of an image has a colon before a tag and an at sign before a digest', () => {
  const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('library/nginx') };
  assert.equal(imageText(name, parseReference('1.27')), 'docker.io/library/nginx:1.27');
  assert.equal(imageText(name, parseReference(DIGEST)), `docker.io/library/nginx@${DIGEST}`);
});

test('no text, however made, gives a name that could leave its folder or its URL', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      let name: string;
      try {
        name = parseRepositoryName(text);
      } catch {
        return; // refused, which is all that is asked of it
      }
      assert.equal(name, text);
      assert.match(name, /^[a-z0-9._/-]+$/);
      assert.ok(!name.split('/').some((part) => part === '' || part === '.' || part === '..'));
    }),
  );
});
