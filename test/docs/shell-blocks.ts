/**
 * Runs what a document tells people to type: its `sh` blocks, in order, in one shell and one folder, with `docklock` being this
 * checkout. Blocks of another kind (`text`, `yaml`) are not run.
 *
 *   const { code, text } = await runShellBlocks('docs/vouching.md', folder, { DOCKLOCK_PASSPHRASE: '...' });
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/** What stands between ```LANGUAGE and ```, block by block. */
export function blocksOf(markdown: string, language: 'sh' | 'yaml'): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return [...blocks].map((match) => match[1] ?? '');
}

export async function runShellBlocks(
  document: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; text: string; commands: number }> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(
    join(bin, 'docklock'),
    `#!/bin/sh\nexec "${process.execPath}" "${resolve('bin/docklock.ts')}" "$@"\n`,
  );
  await chmod(join(bin, 'docklock'), 0o755);
  const blocks = blocksOf(await readFile(document, 'utf8'), 'sh');
  const script = blocks.join('\n');
  const child = spawn('sh', ['-eux', '-c', script], {
    cwd: folder,
    env: { ...process.env, ...env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const [code] = await once(child, 'close');
  return { code, text, commands: (script.match(/^docklock /gm) ?? []).length };
}
