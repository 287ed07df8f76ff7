import { createInterface } from 'node:readline/promises';
import { PublishError } from '../../publish/publish-error.ts';

const INTERRUPT = '\u0003';
const END = '\u0004';
const ERASE = new Set(['\u007f', '\b']);

export function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Reads a line that is not shown. What is asked goes to standard error, so that standard output stays for pipes. */
export async function askHidden(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question, so that nothing of the answer is shown.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stderr.write(prompt);
  try {
    return await lineOf(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

async function lineOf(stdin: NodeJS.ReadStream): Promise<string> {
  return await new Promise((resolve, reject) => {
    const letters: string[] = [];
    const onData = (chunk: string) => {
      for (const letter of chunk) {
        if (letter === '\r' || letter === '\n' || letter === END) return done(() => resolve(letters.join('')));
        if (letter === INTERRUPT) return done(() => reject(new PublishError('interrupted; nothing was changed')));
        if (ERASE.has(letter)) letters.pop();
        else letters.push(letter);
      }
    };
    const done = (settle: () => void) => {
      stdin.off('data', onData);
      settle();
    };
    stdin.on('data', onData);
    // A question before this one has paused it.
    stdin.resume();
  });
}

/** Whether the person says yes. @throws PublishError when nobody is there to ask */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!isTerminal()) {
    throw new PublishError('there is no terminal to ask whether this is right: pass --yes; nothing was changed');
  }
  // The terminal's own line editing will do, and leaves what is asked as it is written.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
