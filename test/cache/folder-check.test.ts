import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DataFolder, type FolderCondition } from '../../cache/data-folder.ts';
import { type Disk, nodeDisk } from '../../cache/disk.ts';
import { FolderCheck } from '../../cache/folder-check.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

function counted(conditions: readonly FolderCondition[]) {
  const clock = { now: 0 };
  let looks = 0;
  const check = new FolderCheck({
    check: async () => conditions[looks++] ?? 'unwritable',
    now: () => new Date(clock.now),
    every: 1000,
  });
  return { check, clock, looks: () => looks };
}

test('one look serves everybody who asks within its time', async () => {
  const { check, clock, looks } = counted(['writable', 'full']);
  assert.deepEqual(await Promise.all([check.condition(), check.condition()]), ['writable', 'writable']);
  clock.now = 999;
  assert.equal(await check.condition(), 'writable');
  assert.equal(looks(), 1);
  clock.now = 1000;
  assert.equal(await check.condition(), 'full');
});

test('a clock that was set back does not keep an answer for good', async () => {
  const { check, clock } = counted(['writable', 'unwritable']);
  await check.condition();
  clock.now = -1;
  assert.equal(await check.condition(), 'unwritable');
});

test('a disk that does not answer is unwritable, and is not asked again until it does', async () => {
  const disk = Promise.withResolvers<FolderCondition>();
  let looks = 0;
  const check = new FolderCheck({
    check: () => {
      looks += 1;
      return disk.promise;
    },
    now: () => new Date(0),
    patience: 1,
  });
  assert.equal(await check.condition(), 'unwritable');
  assert.equal(await check.condition(), 'unwritable');
  assert.equal(looks, 1);
  disk.resolve('writable');
  await disk.promise;
  assert.equal(await check.condition(), 'writable');
});

test('a look that throws is unwritable', async () => {
  const check = new FolderCheck({ check: () => Promise.reject(new Error('no')), now: () => new Date(0) });
  assert.equal(await check.condition(), 'unwritable');
});

const faults: readonly (readonly [code: string | undefined, condition: FolderCondition])[] = [
  [undefined, 'writable'],
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EROFS', 'unwritable'],
  ['EIO', 'unwritable'],
  ['EACCES', 'unwritable'],
];

for (const step of ['create', 'rename', 'syncFolder'] as const) {
  for (const [code, condition] of faults) {
    test(`a data folder whose disk says ${code ?? 'nothing wrong'} at ${step} is ${condition}`, async (t) => {
      const path = await temporaryFolder(t);
      let fault = false;
      const fail = () => Object.assign(new Error(code), { code });
      const disk: Disk = {
        ...nodeDisk,
        [step]: (...args: [string, string]) =>
          fault && code !== undefined
            ? Promise.reject(fail())
            : (nodeDisk[step] as (...a: string[]) => unknown)(...args),
      };
      const folder = await DataFolder.claim(path, new RecordingLog(), disk);
      t.after(() => folder.release());
      const before = await readdir(path);
      fault = true;
      assert.equal(await folder.condition(), condition);
      assert.deepEqual(await readdir(path), before);
      assert.deepEqual(await readdir(join(path, 'tmp')), [], 'nothing is left of the look');
    });
  }
}

test('a data folder that is gone is unwritable', async (t) => {
  const path = await temporaryFolder(t);
  const folder = await DataFolder.claim(path, new RecordingLog());
  t.after(() => folder.release());
  await rm(path, { recursive: true });
  assert.equal(await folder.condition(), 'unwritable');
});
