import { formatDuration, parseDuration } from '../config/units.ts';
import { Fields } from '../trust/metadata/fields.ts';
import { parseStrictJson } from '../trust/metadata/strict-json.ts';
import { TOP_ROLES, type TopRole } from './metadata.ts';
import { messageOf, PublishError } from './publish-error.ts';

/** For how long each role is signed, in milliseconds. Delegated roles are signed for as long as targets. */
export type Periods = Readonly<Record<TopRole, number>>;

const DAY = 86_400_000;

/**
 * Root and targets take a person and a key out of a safe; snapshot and timestamp are renewed by a machine. A day bounds how long
 * a thief of the network can show an old state; 90 days is a quarter's routine, and every vouching renews it.
 */
export const DEFAULT_PERIODS: Periods = { root: 365 * DAY, targets: 90 * DAY, snapshot: 14 * DAY, timestamp: DAY };

/** A role is due for signing when less than this part of its period is left: time for a second try, and a third. */
const DUE_PART = 0.5;

const MINUTE = 60_000;
const TEN_YEARS = 3650 * DAY;
const SETTINGS_LIMIT = 64 * 1024;

/** @throws PublishError for what is no duration between a minute and ten years, such as `90d`. */
export function parsePeriod(text: string): number {
  const period = parseDuration(text);
  if (period === undefined || period < MINUTE || period > TEN_YEARS) {
    throw new PublishError(
      `expected a time between 1m and 3650d, such as 90d or 12h, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return period;
}

export function isDue(expires: Date, period: number, now: Date): boolean {
  return expires.getTime() - now.getTime() < period * DUE_PART;
}

/** `repository.json`: what the signed files do not say. It decides nothing about trust, and may be edited. */
export function settingsBytes(periods: Periods): Uint8Array {
  const expires = Object.fromEntries(TOP_ROLES.map((role) => [role, formatDuration(periods[role])]));
  return Buffer.from(`${JSON.stringify({ format: 1, expires }, null, 2)}\n`);
}

/** @throws PublishError */
export function parseSettings(bytes: Uint8Array, where: string): Periods {
  try {
    const fields = new Fields(parseStrictJson(bytes, SETTINGS_LIMIT, where), where, ['format', 'expires']);
    if (fields.integer('format', 1) !== 1) throw new PublishError('it was made by a later version of docklock');
    const expires = new Fields(fields.object('expires'), `${where} expires`, TOP_ROLES);
    const of = (role: TopRole) => parsePeriod(expires.text(role));
    return { root: of('root'), targets: of('targets'), snapshot: of('snapshot'), timestamp: of('timestamp') };
  } catch (cause) {
    throw new PublishError(`${where} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
