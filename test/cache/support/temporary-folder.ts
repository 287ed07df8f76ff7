import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of the test's own, gone after it. */
export async function temporaryFolder(t: Pick<TestContext, 'after'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'docklock-cache-'));
  // Retries: a store that is closed only after this may be saving its order of use.
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}
