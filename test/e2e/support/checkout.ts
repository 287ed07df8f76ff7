import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, sep } from 'node:path';
import { mustRun, type Outcome, run } from './command.ts';
import { findTool, requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** Where this test is: the repository that a newcomer clones. */
const SOURCE = join(import.meta.dirname, '../../..');

/** npm looks at the network for most of it. */
const NPM_TIME_LIMIT_MS = 120_000;

/** A namespace without any network; what follows runs when loopback is up. */
const OFFLINE = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

/** Why this machine cannot keep a program off the network. */
export function whyNotOffline(): string | false {
  const { missing } = findTool('unshare');
  if (missing !== undefined) return missing;
  const { status, stderr } = spawnSync('unshare', [...OFFLINE, 'true'], { encoding: 'utf8' });
  return status === 0 ? false : `needs a network namespace of its own: ${stderr.trim()}`;
}

/** A newcomer's machine: its own Node and npm, nothing of ours on the path. */
export class Checkout {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.env = env;
  }

  /** Why there is nothing to clone, or nothing to do it with, on this machine. */
  static whyNot(): string | false {
    if (!existsSync(join(SOURCE, '.git'))) return 'what is tested is not a git repository';
    for (const name of ['git', 'npm', 'node']) {
      const { missing } = findTool(name);
      if (missing !== undefined) return missing;
    }
    return systemPath() === '' ? "no Node of the system's own is on the path" : false;
  }

  /** `git clone`, of what is committed, into an empty folder. */
  static async clone(workspace: Workspace): Promise<Checkout> {
    const home = await workspace.folder('newcomer');
    const env = systemEnvironment();
    // CI often runs as another user than the one whose files these are.
    const config = join(home, 'gitconfig');
    await writeFile(config, '[safe]\n  directory = *\n');
    const args = ['clone', '--quiet', SOURCE, join(home, 'docklock')];
    await mustRun(requireTool('git'), args, { env: { ...env, GIT_CONFIG_GLOBAL: config } });
    return new Checkout(join(home, 'docklock'), env);
  }

  /** @throws CommandFailed with everything npm said */
  async npm(...args: readonly string[]): Promise<string> {
    return await this.npmIn(this.folder, ...args);
  }

  /** npm with no network but loopback. @throws CommandFailed with everything npm said */
  async npmOffline(...args: readonly string[]): Promise<string> {
    return await mustRun('unshare', [...OFFLINE, 'npm', ...args], { env: this.env, cwd: this.folder });
  }

  /** npm in another folder of the newcomer's. */
  async npmIn(cwd: string, ...args: readonly string[]): Promise<string> {
    return await mustRun('npm', args, { env: this.env, cwd, timeLimitMs: NPM_TIME_LIMIT_MS });
  }
}

/** Runs something with the Node of this test first on the path: for what needs a newer one than the system's. */
export async function runWithThisNode(file: string, args: readonly string[]): Promise<Outcome> {
  const env = systemEnvironment();
  return await run(file, args, { env: { ...env, PATH: [dirname(process.execPath), env.PATH].join(delimiter) } });
}

/** The path without what `npm run` put before it. Empty when no Node is left on it. */
function systemPath(): string {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.split(sep).includes('node_modules') && folder !== dirname(process.execPath));
  return folders.some((folder) => existsSync(join(folder, 'node'))) ? folders.join(delimiter) : '';
}

/** The user's own, with npm's registry and cache; without what the npm and the test runner that run us have set. */
function systemEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => key === 'NODE_EXTRA_CA_CERTS' || !/^(?:npm_|NODE|INIT_CWD$|DOCKLOCK_|DOCKER_)/i.test(key),
  );
  // What npm ci of this checkout has fetched a moment ago need not come again.
  return { ...Object.fromEntries(kept), PATH: systemPath(), npm_config_prefer_offline: 'true' };
}
