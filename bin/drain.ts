import { once } from 'node:events';
import type { ShutdownConfig } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import type { Health } from '../proxy/health.ts';
import type { Listening } from './listening.ts';

export interface Drainable {
  readonly health: Health;
  readonly listening: Listening;
  readonly shutdown: ShutdownConfig;
  readonly log: Log;
}

/** Resolves with the signal that ends the process. */
export async function endSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  const [signal] = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  return signal;
}

/**
 * Says on `/readyz` that traffic should go elsewhere; where a load balancer is there to notice, still takes connections for
 * `notice` or until another signal; then refuses them, and lets what is under way end within `drain` of it all.
 */
export async function drain(
  signal: 'SIGTERM' | 'SIGINT',
  { health, listening, shutdown, log }: Drainable,
): Promise<void> {
  health.drain();
  // A person at a terminal (SIGINT), or a supervisor where nobody asks, need not wait for a balancer to notice.
  const notice = signal === 'SIGTERM' && health.isWatched ? Math.min(shutdown.notice, shutdown.drain) : 0;
  const began = performance.now();
  if (notice > 0) {
    log.info({ signal, notice }, 'to be drained: /readyz says so, and connections are still taken');
    await signalWithin(notice);
  }
  const stopped = listening.stop(Math.max(0, shutdown.drain - (performance.now() - began)));
  log.info({ signal, drain: shutdown.drain }, 'draining');
  await stopped;
}

async function signalWithin(milliseconds: number): Promise<void> {
  const ended = AbortSignal.timeout(milliseconds);
  await Promise.race([once(process, 'SIGTERM', { signal: ended }), once(process, 'SIGINT', { signal: ended })]).catch(
    (error: unknown) => {
      if (!ended.aborted) throw error;
    },
  );
}
