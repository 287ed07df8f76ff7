/**
 * `npm test`: every test but test/e2e, in node:test, and a last line of real counts.
 * `--coverage` also measures trust/ and oci/; other arguments are files or folders to run instead of all.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createInterface } from 'node:readline';

const args = process.argv.slice(2);
const coverage = args.includes('--coverage');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const files = (wanted.length === 0 ? ['test'] : wanted)
  .flatMap((path) => (path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.test.ts`)))
  .filter((path) => wanted.length > 0 || !path.startsWith('test/e2e/'))
  .sort();

if (files.length === 0) {
  process.stderr.write('no test file found\n');
  process.exit(1);
}

const counts = { pass: 0, fail: 0, skipped: 0, cancelled: 0, todo: 0 };
const child = spawn(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    // A test that hangs must fail by name, not hold up everybody behind it. A file's tests together count too.
    '--test-timeout=180000',
    ...(coverage
      ? ['--experimental-test-coverage', '--test-coverage-include=trust/**', '--test-coverage-include=oci/**']
      : []),
    ...files,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
for await (const line of createInterface({ input: child.stdout })) {
  process.stdout.write(`${line}\n`);
  const count = /^ℹ (pass|fail|skipped|cancelled|todo) (\d+)$/.exec(line);
  if (count !== null) counts[count[1] as keyof typeof counts] = Number(count[2]);
}
const code = await new Promise<number>((resolve) => {
  if (child.exitCode !== null) resolve(child.exitCode);
  else child.once('exit', (status) => resolve(status ?? 1));
});
const failed = counts.fail + counts.cancelled;
process.stdout.write(`${counts.pass} passed, ${failed} failed, ${counts.skipped + counts.todo} skipped\n`);
process.exit(code !== 0 || failed > 0 || counts.pass === 0 ? 1 : 0);
