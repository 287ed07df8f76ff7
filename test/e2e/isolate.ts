import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CGROUP_PARENT } from './support/dockerd.ts';
import { findTool } from './support/tool.ts';

/** Folders that container tools write to under fixed names: inside, what is there is seen and what is written is ours. */
const COPIED_ON_WRITE = ['/etc', '/opt', '/var/lib'];
/** Folders with the sockets and locks of the machine's own daemons: inside, they begin empty. */
const EMPTIED = ['/run', '/dev/shm'];

const NAMESPACES = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * Starts a program with mounts and process ids of its own: what it leaves running or mounted ends with it,
 * whatever ended it, and the machine's own containers are neither seen nor touched.
 */
export function spawnIsolated(file: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  // The open standard input tells the inside that we still live; see `endWithParent`.
  return spawn('unshare', [...NAMESPACES, file, ...args], { env, stdio: ['pipe', 'inherit', 'inherit'] });
}

/** Why this machine cannot isolate; undefined when it can. */
export function whyNotIsolated(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const tool = findTool('unshare');
  if (tool.missing !== undefined) return tool.missing;
  const tried = spawnSync(tool.path, [...NAMESPACES, 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : `needs namespaces of its own: ${tried.stderr.trim()}`;
}

/** Inside: gives the fixed folders of container tools a private content. @throws Error when a mount is not possible. */
export function coverFixedFolders(root: string): void {
  const resolver = readFileSync('/etc/resolv.conf');
  const upper = join(root, 'covers');
  mkdirSync(upper);
  // Overlay may not lie on overlay, which a CI container's own disk often is; a tmpfs always serves.
  mount('tmpfs', '-t', 'tmpfs', 'tmpfs', upper);
  COPIED_ON_WRITE.forEach((folder, at) => {
    const [changes, work] = [join(upper, `${at}`), join(upper, `${at}w`)];
    mkdirSync(changes);
    mkdirSync(work);
    mount(folder, '-t', 'overlay', '-o', `lowerdir=${folder},upperdir=${changes},workdir=${work}`, 'overlay', folder);
  });
  for (const folder of EMPTIED) mount(folder, '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', folder);
  // Often a link into /run, which is empty now; npm still has to find its registry.
  if (lstatSync('/etc/resolv.conf').isSymbolicLink()) {
    rmSync('/etc/resolv.conf');
    writeFileSync('/etc/resolv.conf', resolver);
  }
}

/** Inside: a parent that died without a word must not leave daemons behind. We are process 1: with us goes everything. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(1)).resume();
}

/** Outside, at the end: what containers leave on the machine itself. */
export function removeCgroups(): void {
  const mounts = '/sys/fs/cgroup';
  const names = ['', ...readdirSync(mounts)];
  for (const name of names) removeTree(join(mounts, name, CGROUP_PARENT));
}

function removeTree(folder: string): void {
  try {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const child of children) removeTree(join(folder, child.name));
    rmdirSync(folder);
  } catch (error) {
    // Not there under most controllers, or not empty yet: an empty control group costs nothing.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

function mount(what: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected to cover ${what}, got: ${stderr.trim()}`);
}
