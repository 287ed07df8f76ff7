/**
 * `npm run test:e2e`: installs real tools, and lets them use DockLock in namespaces of their own.
 * Arguments are test files to run instead of all. The last line is of real counts.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { install, inventory } from './install.ts';
import { coverFixedFolders, endWithParent, removeCgroups, spawnIsolated, whyNotIsolated } from './isolate.ts';

const INSIDE = '--inside';
/** What hangs must fail by name. The slowest file takes a minute on two idle cores, and several beside other work. */
const FILE_TIME_LIMIT_MS = 480_000;
const args = process.argv.slice(2);
// Inside, an open standard input would keep us.
process.exit(args[0] === INSIDE ? await inside(args.slice(1)) : await outside(args));

async function outside(files: readonly string[]): Promise<number> {
  const started = performance.now();
  install(say);
  say('tools:');
  for (const line of inventory()) say(`  ${line}`);
  const root = mkdtempSync(join(tmpdir(), 'docklock-e2e-'));
  const why = whyNotIsolated();
  const env = { ...process.env, DOCKLOCK_E2E_ROOT: root, ...(why === undefined ? {} : { DOCKLOCK_E2E_OPEN: why }) };
  const self = [import.meta.filename, INSIDE, ...files];
  try {
    const child =
      why === undefined
        ? spawnIsolated(process.execPath, self, env)
        : spawn(process.execPath, self, { env, stdio: ['pipe', 'inherit', 'inherit'] });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGKILL'));
    return await exitCode(child);
  } finally {
    rmSync(root, { recursive: true, force: true });
    removeCgroups();
    process.stderr.write(`e2e: took ${Math.round((performance.now() - started) / 1000)} s\n`);
  }
}

async function inside(wanted: readonly string[]): Promise<number> {
  endWithParent();
  const root = process.env.DOCKLOCK_E2E_ROOT;
  if (root === undefined) throw new Error('expected to be started by run.ts itself');
  if (process.env.DOCKLOCK_E2E_OPEN === undefined) coverFixedFolders(root);
  const files = wanted.length > 0 ? wanted : globSync(join(import.meta.dirname, '*.test.ts')).sort();
  const options = ['--test-concurrency=1', '--test-reporter=spec', `--test-timeout=${FILE_TIME_LIMIT_MS}`];
  const child = spawn(process.execPath, ['--test', ...options, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  const counts = { pass: 0, fail: 0, skipped: 0, cancelled: 0, todo: 0 };
  const skipped: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    process.stdout.write(`${line}\n`);
    const count = /^ℹ (pass|fail|skipped|cancelled|todo) (\d+)$/.exec(line);
    if (count !== null) counts[count[1] as keyof typeof counts] = Number(count[2]);
    if (/^\s*﹣ .* # /.test(line)) skipped.push(line.trim());
  }
  const code = await exitCode(child);
  const failed = counts.fail + counts.cancelled;
  for (const line of skipped) say(`skipped: ${line.slice(2)}`);
  process.stdout.write(`${counts.pass} passed, ${failed} failed, ${counts.skipped + counts.todo} skipped\n`);
  return code !== 0 || failed > 0 || counts.pass === 0 ? 1 : 0;
}

function exitCode(child: ReturnType<typeof spawn>): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function say(line: string): void {
  process.stdout.write(`e2e: ${line}\n`);
}
