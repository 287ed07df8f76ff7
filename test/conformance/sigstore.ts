/**
 * `npm run conformance:sigstore -- DIR`: every folder of Sigstore bundle cases under DIR, laid out as in sigstore-conformance's
 * `test/assets/bundle-verify`, against the code that the gateway verifies with. A line a case, and the counts.
 */
import { stat } from 'node:fs/promises';
import { glob } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { verifyCase } from './bundle-case.ts';

const [directory] = process.argv.slice(2);
process.exitCode = directory === undefined ? usage() : await run(resolve(directory));

async function run(root: string): Promise<number> {
  const isFolder = await stat(root).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const folders = isFolder ? await casesUnder(root) : [];
  if (folders.length === 0) {
    process.stderr.write(`expected folders with bundle.sigstore.json under ${root}, got none\n`);
    return 64;
  }
  let failed = 0;
  for (const folder of folders) {
    const expected = folder.endsWith('_fail') ? 'refused' : 'verified';
    const [outcome, why] = await outcomeOf(folder);
    const passed = outcome === expected;
    if (!passed) failed += 1;
    const because = why === '' ? '' : `: ${why}`;
    process.stdout.write(`${passed ? 'ok  ' : 'FAIL'} ${basename(folder)}, ${outcome}${because}\n`);
  }
  process.stdout.write(`${folders.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

async function casesUnder(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob('**/bundle.sigstore.json', { cwd: root })) found.push(dirname(resolve(root, file)));
  return found.sort();
}

async function outcomeOf(folder: string): Promise<['verified' | 'refused', string]> {
  try {
    await verifyCase(folder, new Date());
    return ['verified', ''];
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : name;
    return ['refused', `${reason} ${message}`];
  }
}

function usage(): number {
  process.stderr.write('usage: npm run conformance:sigstore -- DIR\n');
  return 64;
}
