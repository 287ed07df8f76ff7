import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../config/config.ts';
import { ConfigError, type Problem } from '../../config/problem.ts';
import { readConfig } from '../../config/read.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder of its own with these files in it, removed after the test. */
export async function folderWith(t: TestContext, files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** Reads a text as docklock.yaml of a new folder, with other files beside it. */
export async function read(
  t: TestContext,
  yaml: string,
  files: Files = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Config> {
  return readConfig(join(await folderWith(t, { ...files, 'docklock.yaml': yaml }), 'docklock.yaml'), env);
}

/** The problems of a text that must not be accepted. */
export async function problemsOf(
  t: TestContext,
  yaml: string,
  files: Files = {},
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Problem[]> {
  const error = await read(t, yaml, files, env).then(
    () => assert.fail(`accepted:\n${yaml}`),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error.problems;
}

/** `3:5 policy[0].mode: enforce or warn, not "enforced"; hint` for each problem, to be compared at a glance. */
export function glance(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ line, column, path, expected, got, hint }) =>
      `${line}:${column} ${path}: ${expected}, not ${got}${hint === undefined ? '' : `; ${hint}`}`,
  );
}
