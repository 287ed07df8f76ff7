import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Closing } from './fake-registry.ts';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `docklock ARGS` from the checkout as a process of its own, to its end. */
export async function docklock(...args: readonly string[]): Promise<Ran> {
  const { child, text } = spawned(args);
  const [code] = await once(child, 'close');
  return { code, ...text };
}

export interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
  /** Ends it by a signal and waits. @returns its exit code, or null when the signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  readonly text: { readonly out: string; readonly err: string };
}

/** Runs `docklock serve --config FILE` until the test ends; resolves when it listens. */
export function serving(t: Closing, config: string): Promise<Serving> {
  return running(t, ['serve', '--config', config], /listens on (\S+)/);
}

/** Runs a command that serves until the test ends; resolves when it says where. */
export async function running(t: Closing, args: readonly string[], where: RegExp): Promise<Serving> {
  const { child, text } = spawned(args);
  const closed = once(child, 'close') as Promise<[number | null]>;
  t.after(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const match = where.exec(text.out);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    closed.then(([code]) => reject(new Error(`${args[0]} ended with ${code}: ${text.err}`)), reject);
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const [code] = await closed;
    return code;
  };
  return { child, url, stop, text };
}

function spawned(args: readonly string[]): { child: ChildProcess; text: { out: string; err: string } } {
  const child = spawn(process.execPath, ['bin/docklock.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk;
  });
  return { child, text };
}
