import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own in memory, of so many KiB; undefined, the test marked skipped with the reason, where none may be mounted. */
export async function smallDisk(t: TestContext, kib: number): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'docklock-disk-'));
  let mounted = false;
  t.after(async () => {
    if (mounted) await run('umount', ['-l', path]);
    await rm(path, { recursive: true, force: true });
  });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path]);
    mounted = true;
    return path;
  } catch (cause) {
    t.skip(`no tmpfs can be mounted here: ${cause instanceof Error ? cause.message.trim() : String(cause)}`);
    return undefined;
  }
}

export async function remount(path: string, how: 'ro' | 'rw'): Promise<void> {
  await run('mount', ['-o', `remount,${how}`, path]);
}
