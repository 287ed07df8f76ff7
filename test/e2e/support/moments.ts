import { createServer, type Server } from 'node:http';
import { onFreePort } from './port.ts';
import type { Moment } from './vouching.ts';
import type { Workspace } from './workspace.ts';

/**
 * A machine in the middle of the way to the metadata: it shows whoever asks under a path of its own the moment that the
 * test chooses. Nothing in a moment is made up, all of it was signed by the real publisher.
 */
export class Moments {
  readonly #url: string;
  readonly #shown = new Map<string, Moment>();

  private constructor(url: string) {
    this.#url = url;
  }

  static async start(workspace: Workspace): Promise<Moments> {
    return await onFreePort(async (port) => {
      const moments = new Moments(`http://127.0.0.1:${port}`);
      const server = createServer((asked, answer) => {
        const [, to = '', file = ''] = (asked.url ?? '/').split('/');
        const bytes = moments.#shown.get(to)?.get(file);
        answer.writeHead(bytes === undefined ? 404 : 200).end(bytes);
      });
      await listening(server, port);
      workspace.closing(() => closed(server));
      return moments;
    });
  }

  /** Where an authority of that name finds its metadata. */
  url(name: string): string {
    return `${this.#url}/${name}/`;
  }

  /** From now on, and wholly: what the moment has not is 404. */
  show(name: string, moment: Moment): void {
    this.#shown.set(name, moment);
  }
}

/** A moment with some of its files from elsewhere. */
export function withFiles(moment: Moment, files: Readonly<Record<string, Buffer>>): Moment {
  return new Map([...moment, ...Object.entries(files)]);
}

/** The name of the newest file of a role: `4.targets.json`. */
export function newest(moment: Moment, role: string): string {
  const versions = [...moment.keys()].flatMap((name) => {
    const [version = '', of] = name.split('.');
    return of === role ? [Number(version)] : [];
  });
  return `${Math.max(...versions)}.${role}.json`;
}

/** The bytes of a file that must be there. */
export function fileOf(moment: Moment, name: string): Buffer {
  const bytes = moment.get(name);
  if (bytes === undefined) throw new Error(`expected ${name} in ${[...moment.keys()].join(', ')}`);
  return bytes;
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
