import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { GO_PROGRAMS } from './support/go-program.ts';
import { findStaticBusybox, findTool, type Tool } from './support/tool.ts';

/** A tool the tests drive, and the Debian package that brings it. */
interface Need {
  readonly name: string;
  readonly package: string;
  readonly find: () => Tool;
  /** Arguments that make it say its version; where it would not, the package's version is told. */
  readonly version?: readonly string[];
}

const NEEDS: readonly Need[] = [
  need('dockerd', 'docker.io', ['--version']),
  need('docker', 'docker.io', ['--version']),
  need('podman', 'podman', ['--version']),
  need('skopeo', 'skopeo', ['--version']),
  need('containerd', 'containerd'),
  need('ctr', 'containerd', ['--version']),
  need('runc', 'runc', ['--version']),
  need('docker-registry', 'docker-registry'),
  need('notary-server', 'notary'),
  need('notary', 'notary'),
  need('openssl', 'openssl'),
  need('curl', 'curl'),
  need('git', 'git', ['--version']),
  need('tar', 'tar', ['--version']),
  need('mount', 'mount'),
  need('unshare', 'util-linux'),
  need('ip', 'iproute2'),
  // dockerd looks for it at start, also where it is told to leave the firewall alone.
  need('iptables', 'iptables'),
  need('faketime', 'faketime'),
  { name: 'busybox (static)', package: 'busybox-static', find: findStaticBusybox },
];

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what is missing, with apt-get, as root, and builds what Debian does not have; leaves alone what is there.
 * What cannot be had is no error here: the tests that need it say so, each for itself.
 */
export function install(say: (line: string) => void): void {
  installPackages(say);
  for (const program of GO_PROGRAMS) program.build(say);
}

function installPackages(say: (line: string) => void): void {
  const packages = missingPackages();
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || findTool('apt-get').missing !== undefined) {
    say(`not installing ${packages.join(', ')}: that takes root and apt-get`);
    return;
  }
  say(`installing ${packages.join(', ')}`);
  withoutServiceStarts(() => {
    if (!apt('update')) say('apt-get update failed; trying with the package lists that are here');
    if (apt('install', ...packages)) return;
    // One package that this release does not have would keep all the others out.
    for (const one of missingPackages()) if (!apt('install', one)) say(`apt-get could not install ${one}`);
  });
}

/** What is here, a line each, with its version or with what is missing. */
export function inventory(): readonly string[] {
  const packaged = NEEDS.map((wanted) => {
    const tool = wanted.find();
    if (tool.missing !== undefined) return `${wanted.name}: missing, ${tool.missing}`;
    const said = wanted.version === undefined ? packageVersion(wanted.package) : versionOf(tool.path, wanted.version);
    return `${wanted.name}: ${tool.path}, ${said}`;
  });
  const built = GO_PROGRAMS.map((program) => {
    const tool = program.find();
    return `${program.name}: ${tool.missing === undefined ? tool.path : `missing, ${tool.missing}`}`;
  });
  return [...packaged, ...built];
}

function need(name: string, debianPackage: string, version?: readonly string[]): Need {
  return { name, package: debianPackage, find: () => findTool(name), ...(version === undefined ? {} : { version }) };
}

function missingPackages(): string[] {
  const missing = NEEDS.filter((wanted) => wanted.find().missing !== undefined);
  return [...new Set(missing.map((wanted) => wanted.package))];
}

function apt(...args: readonly string[]): boolean {
  const quietly = ['--yes', '--quiet', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0'];
  const { status } = spawnSync('apt-get', [...quietly, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return status === 0;
}

/** Debian packages start their daemons when installed; the tests start their own, elsewhere. Debian Policy, "policy-rc.d". */
function withoutServiceStarts(act: () => void): void {
  if (existsSync(POLICY)) {
    act();
    return;
  }
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
  chmodSync(POLICY, 0o755);
  try {
    act();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function packageVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  const version = /^Version: (.+)$/m.exec(stdout ?? '')?.[1];
  return version === undefined ? 'version unknown' : `package ${name} ${version}`;
}

function versionOf(path: string, args: readonly string[]): string {
  const { stdout } = spawnSync(path, args, { encoding: 'utf8', timeout: 10_000 });
  return (
    (stdout ?? '')
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'version unknown'
  );
}
