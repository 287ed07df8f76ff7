import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read.ts';
import type { Log } from '../oci/log.ts';
import { Listening } from './listening.ts';
import { makeLog } from './log.ts';
import { openGateway } from './open-gateway.ts';
import { welcome } from './welcome.ts';

/** `docklock serve`: until SIGTERM or SIGINT, then drains. @returns the exit code */
export async function serve(options: {
  readonly config: string;
  readonly out: NodeJS.WritableStream;
}): Promise<number> {
  const config = await readConfig(options.config);
  const log = makeLog(config.log.level);
  announceWeakenings(config, log);
  const gateway = await openGateway(config, log, () => new Date());
  try {
    const listening = await Listening.start(config.listen, gateway.part.app.callback());
    options.out.write(welcome(config, options.config, listening.urls));
    log.info({ urls: listening.urls }, 'listening');
    const [signal] = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    log.info({ signal, drain: config.shutdown.drain }, 'draining');
    await listening.stop(config.shutdown.drain);
    log.info({}, 'stopped');
  } finally {
    await gateway.close();
  }
  return 0;
}

function announceWeakenings(config: Config, log: Log): void {
  for (const warning of config.warnings) log.warn({}, warning);
  config.policy.forEach((rule, at) => {
    if (rule.unsafeAllowUnsigned) {
      log.warn(
        { rule: `policy[${at}]`, images: rule.images },
        'unsafeAllowUnsigned: these images are served with nothing proved',
      );
    }
  });
}
