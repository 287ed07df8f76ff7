import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read.ts';
import type { Log } from '../oci/log.ts';
import { FolderCheck } from '../cache/folder-check.ts';
import { Health } from '../proxy/health.ts';
import { drain, endSignal } from './drain.ts';
import { Listening } from './listening.ts';
import { makeLog } from './log.ts';
import { type OpenGateway, openGateway } from './open-gateway.ts';
import { TrustWatch } from './trust-watch.ts';
import { welcome } from './welcome.ts';

/** `docklock serve`: until SIGTERM or SIGINT, then drains. @returns the exit code */
export async function serve(options: {
  readonly config: string;
  readonly out: NodeJS.WritableStream;
}): Promise<number> {
  const config = await readConfig(options.config);
  const log = makeLog(config.log.level);
  announceWeakenings(config, log);
  const now = () => new Date();
  const gateway = await openGateway(config, log, now);
  const watch = watchOver(gateway.part, config, log, now);
  try {
    const health = healthOf(gateway.part, watch, log, now);
    const { app, mirrorApp } = gateway.part;
    const answer = { registry: health.before(app.callback()), mirror: health.before(mirrorApp.callback()) };
    const listening = await Listening.start(config.listen, ({ mirror }) => (mirror ? answer.mirror : answer.registry));
    void watch.start();
    gateway.part.roots.start();
    health.ready();
    options.out.write(welcome(config, options.config, listening.urls));
    log.info({ urls: listening.urls }, 'listening');
    await drain(await endSignal(), { health, listening, shutdown: config.shutdown, log });
    log.info({}, 'stopped');
  } finally {
    await watch.close();
    await gateway.close();
  }
  return 0;
}

function watchOver({ authorities }: OpenGateway, config: Config, log: Log, now: () => Date): TrustWatch {
  return new TrustWatch({ authorities, settings: config.status, data: config.data, log, now });
}

function healthOf({ folder }: OpenGateway, watch: TrustWatch, log: Log, now: () => Date): Health {
  const storage = new FolderCheck({ check: () => folder.condition(), now });
  return new Health({ storage: () => storage.condition(), troubles: () => watch.troubles, log, now });
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
