/**
 * What a publisher has on the table: a registry, a configuration for it, and a repository founded by the command itself.
 *
 *   const { registry, run, repo } = await publishStage(t);
 *   registry.push('acme/app', image(), '1');
 *   await run('vouch', 'corp/acme/app:1', '--repository', repo, '--yes');   // with config and passphrase added
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docklock, type Ran } from './command-line.ts';
import { type Closing, FakeRegistry } from './fake-registry.ts';

export interface PublishStage {
  readonly folder: string;
  readonly registry: FakeRegistry;
  readonly repo: string;
  readonly config: string;
  readonly passphrase: string;
  /** Runs a command that needs a passphrase, and for vouch the configuration. */
  run(...args: readonly string[]): Promise<Ran>;
}

export async function publishStage(t: Closing, ...init: readonly string[]): Promise<PublishStage> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-publish-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const registry = await FakeRegistry.start(t);
  const [config, passphrase, repo] = ['docklock.yaml', 'passphrase', 'trust'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(config, `data: ./data\nupstreams: { corp: { url: "${registry.url}", default: true } }\n`);
  await writeFile(passphrase, 'correct horse battery staple\n');
  const run = (...args: readonly string[]) =>
    docklock(...args, '--passphrase-file', passphrase, ...(args[0] === 'vouch' ? ['--config', config] : []));
  const founded = await run('tuf', 'init', repo, ...init);
  if (founded.code !== 0) throw new Error(founded.err);
  return { folder, registry, repo, config, passphrase, run };
}
