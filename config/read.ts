import { dirname, resolve } from 'node:path';
import { checkConfig } from './check.ts';
import type { Surroundings } from './check-files.ts';
import type { Config } from './config.ts';
import { parseConfigDocument } from './document.ts';
import { readText, UnfitFile } from './file.ts';
import { ConfigError } from './problem.ts';

const FIRST_STEPS =
  'write one that begins with "upstreams: { docker.io: { default: true } }", or copy the docklock.yaml that comes with docklock';

/**
 * Reads the configuration file. Paths in it are relative to its folder; nothing in its text is expanded.
 * @param env where `passwordEnv` looks
 * @throws ConfigError with every problem of the file, or the one that it cannot be read
 */
export async function readConfig(file: string, env: Surroundings['env'] = process.env): Promise<Config> {
  const document = parseConfigDocument(await readFile(file));
  if (document.value === undefined) throw new ConfigError(file, document.problems);
  const folder = dirname(resolve(file));
  const { config, problems } = await checkConfig(document, { path: (text) => resolve(folder, text), env });
  if (config === undefined) throw new ConfigError(file, problems);
  return config;
}

async function readFile(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (cause) {
    if (!(cause instanceof UnfitFile)) throw cause;
    const problem = { path: '', expected: 'a configuration file in YAML, at most 1 MiB of UTF-8', got: cause.message };
    throw new ConfigError(file, [cause.message === 'no such file' ? { ...problem, hint: FIRST_STEPS } : problem], {
      cause,
    });
  }
}
