import { setTimeout as pause } from 'node:timers/promises';

const ASK_EVERY_MS = 50;

/**
 * Asks until the answer is something, since real daemons announce nothing we could wait for.
 * @throws Error naming what was waited for, when `limitMs` is over.
 */
export async function until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`expected ${what} within ${limitMs} ms`);
    await pause(ASK_EVERY_MS);
  }
}
