import { DataFolder } from '../cache/data-folder.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read.ts';
import { type Forecast, forecast, type Outlook } from '../trust/forecast.ts';
import type { AuthorityStatus } from '../trust/status.ts';
import { makeLog } from './log.ts';
import { openTrust } from './open-gateway.ts';
import { readStatusFile } from './status-file.ts';
import { statusText } from './status-text.ts';

/** What scripts go by. */
export const STATUS_EXIT: Record<Outlook, number> = { good: 0, warning: 1, bad: 2 };

/** Milliseconds. A running gateway writes several times within them; one that did not is in trouble. */
const WRITTEN_LATELY = 2 * 60_000;

/** How the trust stands, and who says so. */
export interface FoundStatus {
  /** `gateway`: the running one, which knows why refreshes fail. `disk`: what is remembered, which is all there is. */
  readonly source: 'gateway' | 'disk';
  readonly asOf: Date;
  /** Why it is the disk although a gateway runs. */
  readonly note: string | undefined;
  readonly authorities: readonly AuthorityStatus[];
}

/** `docklock status`: how every authority's trust stands, and what ends when. @returns the exit code */
export async function status(options: {
  readonly config: string;
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  readonly colour: boolean;
}): Promise<number> {
  const config = await readConfig(options.config);
  const now = new Date();
  const found = await findStatus(config, now);
  const seen = forecast(found.authorities, now, config.status);
  const outlook = seen.outlook === 'good' && found.note !== undefined ? 'warning' : seen.outlook;
  const text = options.json
    ? `${JSON.stringify(recordOf(found, { ...seen, outlook }, now), null, 2)}\n`
    : statusText(found, { ...seen, outlook }, { now, colour: options.colour });
  options.out.write(text);
  return STATUS_EXIT[outlook];
}

async function findStatus(config: Config, now: Date): Promise<FoundStatus> {
  if (!(await DataFolder.peek(config.data))) return await fromDisk(config, now, undefined);
  try {
    const { writtenAt, authorities } = await readStatusFile(config.data);
    const age = now.getTime() - writtenAt.getTime();
    if (Math.abs(age) < WRITTEN_LATELY) return { source: 'gateway', asOf: writtenAt, note: undefined, authorities };
    return await fromDisk(config, now, `it last said how its trust stands ${Math.round(age / 1000)} s ago`);
  } catch (error) {
    return await fromDisk(config, now, error instanceof Error ? error.message : String(error));
  }
}

async function fromDisk(config: Config, now: Date, note: string | undefined): Promise<FoundStatus> {
  const trust = await openTrust(config, makeLog('silent'), () => now);
  try {
    for (const authority of trust.part) await authority.recall?.();
    const authorities = trust.part.map((authority) => authority.status());
    return { source: 'disk', asOf: now, note, authorities };
  } finally {
    await trust.close();
  }
}

function recordOf({ source, asOf, note, authorities }: FoundStatus, seen: Forecast, now: Date): object {
  const { outlook, failures, rows } = seen;
  return { outlook, source, asOf, now, note, authorities, failures, expiries: rows };
}
