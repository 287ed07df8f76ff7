import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Eviction } from '../../cache/eviction.ts';
import type { Digest } from '../../oci/digest.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { content } from './support/content.ts';
import { systemError } from './support/faulty-disk.ts';

const [a, b, c] = ['a', 'b', 'c'].map((seed) => content(1, seed).digest) as [Digest, Digest, Digest];

function evicting(remove: (digest: Digest) => Promise<void> = async () => undefined) {
  const removed: Digest[] = [];
  const log = new RecordingLog();
  const eviction = new Eviction({
    log,
    remove: async (digest) => {
      await remove(digest);
      removed.push(digest);
    },
  });
  for (const digest of [a, b, c]) eviction.keep({ digest, size: 10 });
  return { eviction, removed, log };
}

test('the least recently used goes first, and no more than needed', async () => {
  const { eviction, removed } = evicting();
  eviction.use(a);
  await eviction.shrinkTo(25);
  assert.deepEqual(removed, [b]);
  assert.equal(eviction.bytes, 20);
  await eviction.shrinkTo(20);
  assert.deepEqual(removed, [b]);
  await eviction.shrinkTo(1);
  assert.deepEqual(removed, [b, c, a]);
  assert.deepEqual([eviction.bytes, eviction.count], [0, 0]);
});

test('two who make room at once do not remove the same, nor more than both need', async () => {
  const { eviction, removed } = evicting();
  await Promise.all([eviction.shrinkTo(20), eviction.shrinkTo(10)]);
  assert.deepEqual(removed.sort(), [a, b].sort());
});

test('what could not be removed is still counted, and others are tried', async () => {
  const { eviction, removed, log } = evicting(async (digest) => {
    if (digest === a) throw systemError('EPERM');
  });
  await eviction.shrinkTo(10);
  assert.deepEqual(removed, [b, c]);
  assert.deepEqual([eviction.bytes, eviction.count], [10, 1]);
  assert.equal(log.at('warn').length, 1);
});

test('a disk that lets nothing be removed is an error, and everything is still counted', async () => {
  const { eviction } = evicting(async () => {
    throw systemError('EROFS');
  });
  await assert.rejects(eviction.shrinkTo(0), { name: 'FillError', kind: 'disk' });
  assert.deepEqual([eviction.bytes, eviction.count], [30, 3]);
});

test('the same content twice is counted once', () => {
  const { eviction } = evicting();
  eviction.keep({ digest: a, size: 10 });
  eviction.keep({ digest: a, size: 12 });
  assert.deepEqual([eviction.bytes, eviction.count], [32, 3]);
});

test('empty content can be kept', () => {
  const { eviction } = evicting();
  eviction.keep({ digest: content(0).digest, size: 0 });
  assert.equal(eviction.count, 4);
});

test('forgetting what is gone leaves alone what took its place', () => {
  const { eviction } = evicting();
  const old = eviction.use(a);
  assert.ok(old !== undefined);
  eviction.keep({ digest: a, size: 10 });
  eviction.forget(old);
  assert.equal(eviction.count, 3);
  const current = eviction.doubt(a);
  assert.ok(current !== undefined);
  eviction.forget(current);
  assert.deepEqual([eviction.count, eviction.bytes], [2, 20]);
});

test('what is doubted is known as before, but not as checked', () => {
  const { eviction } = evicting();
  eviction.keep({ digest: a, size: 12, checked: { fingerprint: 'seen', at: 0 } });
  assert.deepEqual(eviction.doubt(a), { digest: a, size: 12 });
  assert.deepEqual(eviction.use(a), { digest: a, size: 12 });
  assert.equal(eviction.bytes, 32);
  assert.equal(eviction.doubt(content(1, 'none').digest), undefined);
});
