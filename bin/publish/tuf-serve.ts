import { once } from 'node:events';
import { FreshKeeper, NO_KEYS } from '../../publish/fresh-keeper.ts';
import { metadataHandler } from '../../publish/metadata-server.ts';
import { PublishError } from '../../publish/publish-error.ts';
import { refresh, warnings } from '../../publish/refresh.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { Listening } from '../listening.ts';
import { makeLog } from '../log.ts';
import { changing, type KeyOptions, outcomeText } from './open-repository.ts';

/** Answers are small; whoever still reads one after this has gone. Milliseconds. */
const DRAIN = 10_000;

/** `docklock tuf refresh DIR`, as cron runs it. @returns the exit code */
export async function tufRefresh(
  dir: string,
  options: KeyOptions & { readonly force: boolean },
  out: NodeJS.WritableStream,
): Promise<number> {
  const text = await changing(dir, options, async (publishing) => {
    const published = await refresh(publishing, { renew: options.force });
    if (published.outcome === 'waiting') throw new PublishError(NO_KEYS);
    const notes = warnings(publishing.repository, publishing.periods, publishing.now);
    return `${outcomeText(dir, published)}${notes.map((note) => `warning: ${note}\n`).join('')}`;
  });
  out.write(text);
  return 0;
}

/** `docklock tuf serve DIR --listen ADDRESS:PORT`: until SIGTERM or SIGINT, then drains. @returns the exit code */
export async function tufServe(
  dir: string,
  options: { readonly listen: string },
  out: NodeJS.WritableStream,
): Promise<number> {
  const folder = new RepositoryFolder(dir);
  await folder.periods();
  const log = makeLog('info');
  const keeper = new FreshKeeper({ folder, log, now: () => new Date() });
  await keeper.look();
  const handler = metadataHandler(folder, log, () => keeper.healthy);
  const listening = await Listening.start([listenerOf(options.listen)], () => handler);
  keeper.start();
  out.write(`The repository in ${dir} is served on ${listening.urls.join(', ')}\n`);
  const [signal] = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  log.info({ signal }, 'draining');
  await Promise.all([listening.stop(DRAIN), keeper.stop()]);
  return 0;
}

function listenerOf(text: string): { address: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const address = match?.[1] ?? match?.[2];
  if (address === undefined || port > 65_535) {
    throw new PublishError(
      `--listen: expected an address and a port such as 127.0.0.1:8080 or [::1]:8080, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return { address, port };
}
