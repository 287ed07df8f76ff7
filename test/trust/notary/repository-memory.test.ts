import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gun } from '../../../trust/notary/gun.ts';
import { RepositoryMemory } from '../../../trust/notary/repository-memory.ts';
import type { RepositoryTrust } from '../../../trust/notary/repository-trust.ts';

type Held = Pick<RepositoryTrust, 'busy' | 'size'>;

/** Only what the memory looks at: whether it is busy, and how large. */
function held(busy: boolean, size: number): RepositoryTrust {
  const trust: Held = { busy, size };
  return trust as RepositoryTrust;
}

function memoryOf(limits: { repositories: number; bytes: number }, sizes: Record<string, number> = {}, busy = '') {
  const made: string[] = [];
  const memory = new RepositoryMemory((gun) => {
    made.push(gun);
    return held(gun === busy, sizes[gun] ?? 1);
  }, limits);
  const use = async (...guns: string[]) => {
    for (const gun of guns) await memory.using(gun as Gun, async () => undefined);
  };
  return { memory, made, use };
}

test('a repository that is in memory is not made again', async () => {
  const { made, use } = memoryOf({ repositories: 2, bytes: 100 });
  await use('a', 'b', 'a', 'b');
  assert.deepEqual(made, ['a', 'b']);
});

test('beyond the number of repositories the least recently used leaves', async () => {
  const { made, use, memory } = memoryOf({ repositories: 2, bytes: 100 });
  await use('a', 'b', 'a', 'c', 'a', 'b');
  assert.deepEqual(made, ['a', 'b', 'c', 'b']);
  assert.equal(memory.all().length, 2);
});

test('beyond the number of bytes the least recently used leave until it fits', async () => {
  const { made, use, memory } = memoryOf({ repositories: 10, bytes: 10 }, { a: 4, b: 4, c: 9 });
  await use('a', 'b', 'c');
  assert.equal(memory.all().length, 1);
  await use('a');
  assert.deepEqual(made, ['a', 'b', 'c', 'a']);
});

test('one that is being refreshed does not leave, so that it is not refreshed twice at once', async () => {
  const { made, use } = memoryOf({ repositories: 1, bytes: 100 }, {}, 'a');
  await use('a', 'b', 'c', 'a');
  assert.deepEqual(made, ['a', 'b', 'c']);
});

test('one that was asked about in vain is forgotten as others are', async () => {
  const { memory } = memoryOf({ repositories: 1, bytes: 100 });
  const work = async () => {
    throw new Error('in vain');
  };
  await assert.rejects(memory.using('a' as Gun, work), /in vain/);
  await memory.using('b' as Gun, async () => undefined);
  assert.equal(memory.all().length, 1);
});
