import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DataFolder, DataFolderBusy, DataFolderUnusable } from '../../cache/data-folder.ts';
import { type Disk, nodeDisk } from '../../cache/disk.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { Child } from './support/child.ts';
import { diskWith, diskWriting, systemError } from './support/faulty-disk.ts';
import { remount, smallDisk } from './support/small-disk.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const log = new RecordingLog();

test('a folder that is not there is made, for this user only', async (t) => {
  const path = join(await temporaryFolder(t), 'deep', 'data');
  const folder = await DataFolder.claim(path, log);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  assert.equal(folder.path, path);
  await folder.release();
});

test('a folder that is owned, also by this very process, is busy, and the error says by whom and what to do', async (t) => {
  const path = await temporaryFolder(t);
  const folder = await DataFolder.claim(path, log);
  await assert.rejects(DataFolder.claim(path, log), (error) => {
    assert.ok(error instanceof DataFolderBusy);
    assert.equal(error.owner?.pid, process.pid);
    assert.match(error.message, new RegExp(`process ${process.pid} `));
    assert.match(error.message, /stop that process/);
    return true;
  });
  assert.equal(await DataFolder.peek(path), true, 'a refused claim takes nothing from the owner');
  await folder.release();
  assert.equal(await DataFolder.peek(path), false);
  await (await DataFolder.claim(path, log)).release();
});

test('a folder owned by another living process is busy; when that is killed, the folder is free', async (t) => {
  const path = await temporaryFolder(t);
  const child = Child.start(t, './hold-folder.ts', [path]);
  assert.equal(await child.line(), 'claimed');
  assert.equal(await DataFolder.peek(path), true);
  await assert.rejects(
    DataFolder.claim(path, log),
    (error) => error instanceof DataFolderBusy && error.owner?.pid === child.pid,
  );
  await child.kill();
  assert.equal(await DataFolder.peek(path), false);
  const folder = await DataFolder.claim(path, log);
  assert.equal(await DataFolder.peek(path), true);
  await folder.release();
});

test('of several who claim a free folder at once, exactly one gets it', async (t) => {
  const path = await temporaryFolder(t);
  const claims = await Promise.allSettled(Array.from({ length: 8 }, () => DataFolder.claim(path, log)));
  const got = claims.filter((claim) => claim.status === 'fulfilled');
  assert.equal(got.length, 1);
  for (const claim of claims) assert.ok(claim.status === 'fulfilled' || claim.reason instanceof DataFolderBusy);
  for (const claim of got) await claim.value.release();
});

test('a note of the owner that is damaged frees nothing and binds nothing', async (t) => {
  const path = await temporaryFolder(t);
  const folder = await DataFolder.claim(path, log);
  await writeFile(join(path, 'owner.json'), '{"pid":');
  await assert.rejects(
    DataFolder.claim(path, log),
    (error) => error instanceof DataFolderBusy && error.owner === undefined,
  );
  await folder.release();
  await writeFile(join(path, 'owner.json'), JSON.stringify({ pid: process.pid, host: 'here', since: 'now' }));
  assert.equal(await DataFolder.peek(path), false);
  await (await DataFolder.claim(path, log)).release();
});

test('what was written aside and not finished is removed, what else there is stays', async (t) => {
  const path = await temporaryFolder(t);
  await mkdir(join(path, 'tmp', 'deep'), { recursive: true });
  await writeFile(join(path, 'tmp', 'blob-x'), 'half');
  await writeFile(join(path, 'kept'), 'kept');
  const folder = await DataFolder.claim(path, log);
  assert.deepEqual(await readdir(join(path, 'tmp')), []);
  await folder.release();
  assert.deepEqual((await readdir(path)).sort(), ['kept', 'lock', 'tmp']);
});

test('looking at a folder that is not there makes none', async (t) => {
  const path = join(await temporaryFolder(t), 'none');
  assert.equal(await DataFolder.peek(path), false);
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

const refusing = (code: string) => () => Promise.reject(systemError(code));

const FAULTS: readonly { readonly what: string; readonly disk: Disk; readonly code: string }[] = [
  { what: 'cannot be made', disk: diskWith({ makeFolder: refusing('EACCES') }), code: 'EACCES' },
  { what: 'is read-only', disk: diskWith({ create: refusing('EROFS') }), code: 'EROFS' },
  { what: 'is full', disk: diskWriting(() => ({ write: refusing('ENOSPC') })), code: 'ENOSPC' },
  { what: 'cannot be synced', disk: diskWriting(() => ({ sync: refusing('EIO') })), code: 'EIO' },
  { what: 'cannot be renamed in', disk: diskWith({ rename: refusing('EPERM') }), code: 'EPERM' },
];

for (const { what, disk, code } of FAULTS) {
  test(`a folder that ${what} is an error that names it, the reason and what to do, and is not owned`, async (t) => {
    const path = await temporaryFolder(t);
    await assert.rejects(DataFolder.claim(path, log, disk), (error) => {
      assert.ok(error instanceof DataFolderUnusable);
      assert.ok(error.message.includes(path));
      assert.ok(error.message.includes(code));
      assert.match(error.message, /make it writable|set data:/);
      return true;
    });
    assert.equal(await DataFolder.peek(path), false);
  });
}

test('a claim that fails half way leaves the folder free', async (t) => {
  const path = await temporaryFolder(t);
  const disk = diskWith({
    rename: (from, to) => (to.endsWith('owner.json') ? refusing('EIO')() : nodeDisk.rename(from, to)),
  });
  await assert.rejects(DataFolder.claim(path, log, disk), DataFolderUnusable);
  await (await DataFolder.claim(path, log)).release();
});

test('a folder on a read-only file system is named with the reason that the system gives', async (t) => {
  const path = await smallDisk(t, 1024);
  if (path === undefined) return;
  await remount(path, 'ro');
  await assert.rejects(DataFolder.claim(path, log), (error) => {
    assert.ok(error instanceof DataFolderUnusable);
    assert.match(error.message, /EROFS/);
    return true;
  });
});

test('a file where the folder should be is such an error', async (t) => {
  const path = join(await temporaryFolder(t), 'file');
  await writeFile(path, '');
  await assert.rejects(DataFolder.claim(path, log), DataFolderUnusable);
});
