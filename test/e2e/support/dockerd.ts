import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type CommandOptions, mustRun, type Outcome, run, toolEnvironment } from './command.ts';
import { Daemon } from './daemon.ts';
import { requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** Taken away by run.ts at the end: the one thing a container leaves outside of our namespaces. */
export const CGROUP_PARENT = '/docklock-e2e';

/** A machine with Docker on it: a daemon with storage of its own, without networks, reached by a socket of its own. */
export class Dockerd {
  readonly #socket: string;
  /** The user's home folder on that machine. */
  readonly home: string;

  private constructor(socket: string, home: string) {
    this.#socket = socket;
    this.home = home;
  }

  /**
   * @param settings its `daemon.json`
   * @throws Error with the end of the daemon's log where the machine cannot run it.
   */
  static async start(workspace: Workspace, name: string, settings: object = {}): Promise<Dockerd> {
    const folder = await workspace.folder(name);
    const socket = join(folder, 'd.sock');
    await writeFile(join(folder, 'daemon.json'), JSON.stringify(settings));
    await mkdir(join(folder, 'home'));
    const daemon = await Daemon.start({
      name: 'dockerd',
      file: requireTool('dockerd'),
      args: [
        ...[
          '--config-file',
          join(folder, 'daemon.json'),
          '--pidfile',
          join(folder, 'pid'),
          '--host',
          `unix://${socket}`,
        ],
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'x')],
        ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
        ...['--cgroup-parent', CGROUP_PARENT, '--shutdown-timeout', '1'],
      ],
      env: toolEnvironment(folder),
      log: join(folder, 'log'),
      ready: () => pings(socket),
    });
    workspace.closing(() => daemon.stop());
    return new Dockerd(socket, join(folder, 'home'));
  }

  /** Runs Docker's command line against this machine, whatever it answers. */
  async docker(args: readonly string[], options: DockerOptions = {}): Promise<Outcome> {
    return await run(options.cli ?? requireTool('docker'), args, this.#options(options));
  }

  /** @throws CommandFailed when docker says no. */
  async mustDocker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
    return await mustRun(options.cli ?? requireTool('docker'), args, this.#options(options));
  }

  #options(options: DockerOptions): CommandOptions {
    const env = toolEnvironment(options.home ?? this.home, { DOCKER_HOST: `unix://${this.#socket}`, ...options.env });
    return { ...options, env };
  }
}

export interface DockerOptions extends CommandOptions {
  /** Path of the docker command; the first on the path by default. */
  readonly cli?: string;
  /** Another user of the same machine. */
  readonly home?: string;
}

function pings(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
