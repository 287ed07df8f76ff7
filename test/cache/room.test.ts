import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Eviction } from '../../cache/eviction.ts';
import { Room } from '../../cache/room.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { content } from './support/content.ts';

function roomOf(maxSize: number, kept: readonly number[] = [], freeBytes: number | undefined = undefined) {
  const eviction = new Eviction({ remove: async () => undefined, log: new RecordingLog() });
  for (const [at, size] of kept.entries()) eviction.keep({ digest: content(1, `${at}`).digest, size });
  return { eviction, room: new Room({ maxSize, eviction, freeBytes: async () => freeBytes }) };
}

test('room is made as bytes arrive: what never comes evicts nothing', async () => {
  const { eviction, room } = roomOf(100, [50, 50]);
  const claim = await room.claim(100);
  assert.equal(eviction.bytes, 100);
  await claim.take(10);
  assert.equal(eviction.bytes, 50);
  await claim.take(40);
  assert.equal(eviction.bytes, 50);
  await claim.take(1);
  assert.equal(eviction.bytes, 0);
});

test('what a fill gave back can be claimed again, once', async () => {
  const { room } = roomOf(100);
  const claim = await room.claim(100);
  await claim.take(60);
  claim.release();
  claim.release();
  assert.equal((await room.claim(100)).kept, true);
  assert.equal((await room.claim(1)).kept, false);
});

test('content larger than the cache passes through without being kept and without evicting', async () => {
  const { eviction, room } = roomOf(100, [50, 50]);
  const claim = await room.claim(101);
  assert.equal(claim.kept, false);
  await claim.take(101);
  assert.equal(eviction.bytes, 100);
});

test('one fill at a time may be above the size of the cache', async () => {
  const { room } = roomOf(100);
  assert.equal((await room.claim(70)).kept, true);
  const passing = await room.claim(70);
  assert.equal(passing.kept, false);
  await assert.rejects(room.claim(70), { name: 'FillError', kind: 'disk' });
  assert.equal((await room.claim(30)).kept, true, 'one that fits is still welcome');
  passing.release();
  assert.equal((await room.claim(70)).kept, false);
});

test('a disk with too few bytes left, even after evicting all, is an error before anything is written or evicted', async () => {
  const { eviction, room } = roomOf(1000, [50], 49);
  await assert.rejects(room.claim(100), { name: 'FillError', kind: 'disk' });
  assert.equal(eviction.bytes, 50);
  assert.equal((await room.claim(99)).kept, true);
});

test('a disk with too few bytes left is made room on once the first bytes have come', async () => {
  const { eviction, room } = roomOf(1000, [50, 50, 50], 20);
  const claim = await room.claim(100);
  assert.equal(eviction.bytes, 150);
  await claim.take(1);
  assert.equal(eviction.bytes, 50);
  await claim.take(99);
  assert.equal(eviction.bytes, 50);
});

test('bytes that other fills have still to write are not free', async () => {
  const { room } = roomOf(1000, [], 100);
  const first = await room.claim(60);
  await assert.rejects(room.claim(60), { kind: 'disk' });
  await first.take(30);
  const second = await room.claim(60);
  second.release();
  first.release();
  await room.claim(100);
});

test('what passes through evicts nothing for a full disk', async () => {
  const { room } = roomOf(100, [50, 50], 100);
  await assert.rejects(room.claim(101), { kind: 'disk' });
});

test('a file system that does not tell what is free is taken at its writes', async () => {
  const { room } = roomOf(1000, [], undefined);
  assert.equal((await room.claim(1000)).kept, true);
});
