import { spawn } from 'node:child_process';

/** Far above what any single tool call here takes, far below what would make a stuck one eat the run's eight minutes. */
const COMMAND_TIME_LIMIT_MS = 60_000;

export interface Outcome {
  /** Null when a signal, ours included, ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Written to standard input, which is closed after it. */
  readonly input?: string;
  readonly timeLimitMs?: number;
}

/** A tool said no where the test's story needs it to say yes: trouble of the stage, not a finding about DockLock. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/**
 * The environment of a tool: a home of its own and nothing of ours, or DOCKER_HOST and its like
 * would let a test act on the machine's own containers.
 */
export function toolEnvironment(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', ...more };
}

/** Runs a tool to its end. A refusal is an outcome, not an exception. @throws Error when it cannot be started at all. */
export function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that the time limit also ends what the tool started.
    const child = spawn(file, args, { env: options.env, cwd: options.cwd, detached: true });
    let stdout = '';
    let stderr = '';
    const limitMs = options.timeLimitMs ?? COMMAND_TIME_LIMIT_MS;
    const limit = setTimeout(() => {
      stderr += `\n[ended after ${limitMs} ms by the test]`;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, stderr });
    });
    // A tool that ends without reading its input is no failure of ours; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a tool that has to succeed, and answers what it printed. @throws CommandFailed with everything it said. */
export async function mustRun(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const outcome = await run(file, args, options);
  if (outcome.code !== 0) {
    throw new CommandFailed(
      `expected \`${[file, ...args].join(' ')}\` to succeed, got exit code ${outcome.code}:\n${outcome.stderr}${outcome.stdout}`,
    );
  }
  return outcome.stdout;
}
