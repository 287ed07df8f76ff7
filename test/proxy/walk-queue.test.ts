import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryImage, Platform } from '../../bin/demo/memory-image.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { parseTag } from '../../oci/reference.ts';
import { type Wanted, WalkQueue } from '../../proxy/walk-queue.ts';
import { image, index } from '../support/fake-registry.ts';

const digest = (text: string): Digest => digestOf(Buffer.from(text));
const target = (tag: string, of = tag) => ({ tag: parseTag(tag), digest: digest(of) });
const targetsOf = (count: number) => Array.from({ length: count }, (_, at) => target(`t${at}`));
const LINUX: Platform = { os: 'linux', architecture: 'amd64' };
const ATTESTATION: Platform = { os: 'unknown', architecture: 'unknown' };

function read({ bytes, mediaType }: MemoryImage): Manifest {
  return parseManifest(bytes, mediaType);
}

function drain(queue: WalkQueue) {
  const all = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) all.push(next);
  return all;
}

test('what is signed comes in its order, each digest once, with its tags', () => {
  const queue = new WalkQueue('manifest', { targets: [target('latest', 'a'), target('2', 'b'), target('1', 'a')] });
  assert.deepEqual(drain(queue), [
    { digest: digest('a'), tags: ['latest', '1'], level: 1 },
    { digest: digest('b'), tags: ['2'], level: 1 },
  ]);
  assert.equal(queue.cut, false);
});

test('what is signed under its digest is looked at by its digest, or by a tag where it has one too', () => {
  const bare = (of: string) => ({ tag: undefined, digest: digest(of) });
  const queue = new WalkQueue('manifest', { targets: [target('1', 'a'), bare('a'), bare('b'), bare('c'), bare('c')] });
  assert.deepEqual(drain(queue), [
    { digest: digest('a'), tags: ['1'], level: 1 },
    { digest: digest('b'), tags: [], level: 1 },
    { digest: digest('c'), tags: [], level: 1 },
  ]);
  assert.equal(queue.cut, false);
});

for (const [what, targets, length] of [
  ['a thousand signed digests are all looked at', targetsOf(1000), 1000],
  ['of more, the likeliest thousand', targetsOf(1001), 1000],
  ['of a digest with many tags, four', ['1', '2', '3', '4', '5'].map((tag) => target(tag, 'same')), 1],
] as const) {
  test(`${what}${targets.length > length ? ', and the rest is said to be left out' : ''}`, () => {
    const queue = new WalkQueue('manifest', { targets });
    assert.equal(queue.cut, targets.length > length);
    const all = drain(queue);
    assert.equal(all.length, length);
    assert.ok(all.every(({ tags }) => tags.length <= 4));
  });
}

test('no more is read of a list than is used', () => {
  let read = 0;
  const endless = (function* () {
    for (;;) {
      read += 1;
      yield target(`t${read}`);
    }
  })();
  assert.equal(new WalkQueue('blob', { targets: endless }).cut, true);
  assert.equal(read, 1001);
});

test('the digest that was asked for is taken out of turn', () => {
  const queue = new WalkQueue('manifest', { targets: targetsOf(3) });
  assert.equal(queue.takeOut(digest('t2'))?.digest, digest('t2'));
  assert.equal(queue.takeOut(digest('t2')), undefined);
  assert.deepEqual(
    drain(queue).map(({ digest }) => digest),
    [digest('t0'), digest('t1')],
  );
});

const amd64 = image({ layers: ['amd64'] });
const attestation = image({ layers: ['attestation'] });
const nested = index([image({ layers: ['nested'] })]);
const multi = index([attestation, nested, amd64], { platforms: [ATTESTATION, LINUX, LINUX] });

for (const [wanted, level, expected] of [
  ['manifest', 1, [digest('t1'), nested.digest]],
  ['manifest', 3, [digest('t1')]],
  ['blob', 1, [amd64.digest, attestation.digest, nested.digest, digest('t1')]],
  ['blob', 3, [amd64.digest, attestation.digest, digest('t1')]],
] as const satisfies readonly (readonly [Wanted, number, readonly Digest[]])[]) {
  test(`below an index of level ${level}, for a ${wanted}, is looked at what may lead to it`, () => {
    const queue = new WalkQueue(wanted, { targets: targetsOf(2) });
    queue.take();
    queue.addBelow(read(multi), level);
    const all = drain(queue);
    assert.deepEqual(
      all.map(({ digest }) => digest),
      expected,
    );
    const below = all.filter(({ tags }) => tags.length === 0);
    assert.ok(below.every((candidate) => candidate.level === level + 1));
  });
}

test('what two indexes list is looked at once', () => {
  const queue = new WalkQueue('blob', { targets: [] });
  queue.addBelow(read(index([amd64])), 1);
  queue.addBelow(read(multi), 1);
  assert.equal(drain(queue).filter(({ digest }) => digest === amd64.digest).length, 1);
});

test('indexes that list more than any walk looks at do not fill the memory, and what is left out is said', () => {
  const queue = new WalkQueue('blob', { targets: targetsOf(1000) });
  const huge = {
    ...read(multi),
    manifests: targetsOf(9_001).map(({ tag }) => ({
      ...read(multi).manifests[0],
      digest: digest(`child ${tag}`),
      mediaType: amd64.mediaType,
      size: 1,
    })),
  };
  queue.addBelow(huge, 1);
  assert.equal(queue.cut, true);
  assert.equal(drain(queue).length, 10_000);
});
