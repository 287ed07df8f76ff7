import type { AuthorityStatus, Expiry, RefreshTrouble, TrustStatus } from './status.ts';

export interface ForecastSettings {
  /** Milliseconds before its end at which something that a person renews becomes a warning. */
  readonly warnBefore: number;
}

/**
 * `due`: ended since it was last looked at, which says nothing about what is published now; the next pull asks for it.
 * `expired`: ended, and the newest there is as far as anybody knows.
 */
export type ExpiryLevel = 'ok' | 'due' | 'warning' | 'expired';

/** One thing that ends. */
export interface ForecastRow {
  readonly authority: string;
  /** The body of metadata it is of. */
  readonly of: string;
  readonly what: string;
  readonly at: Date;
  readonly level: ExpiryLevel;
}

/** A body of metadata whose last refresh failed. */
export interface FailedRefresh extends RefreshTrouble {
  readonly authority: string;
  readonly of: string;
}

/** `bad`: something expired, or a refresh fails. */
export type Outlook = 'good' | 'warning' | 'bad';

export interface Forecast {
  /** Soonest first. */
  readonly rows: readonly ForecastRow[];
  readonly failures: readonly FailedRefresh[];
  readonly outlook: Outlook;
}

const HOUR = 3_600_000;

/** What a server renews is late when this part of its life is left: servers renew after half of it, or two thirds. */
const ONLINE_PART = 1 / 4;

/** The same where the length of its life is not known: a quarter of TUF's customary day. */
const ONLINE_LIMIT = 6 * HOUR;

/** Authorities keep fresh what was asked about within a day; trust that is older, without a failure, is not in use. */
const IDLE_AFTER = 25 * HOUR;

/** What the statuses come to at one moment. A date that is none counts as past. */
export function forecast(statuses: readonly AuthorityStatus[], now: Date, settings: ForecastSettings): Forecast {
  const bodies = statuses.flatMap(({ name, trust }) => trust.map((one) => ({ authority: name, ...one })));
  const rows = bodies
    .flatMap((body) =>
      body.expiries.map((expiry): ForecastRow => {
        const { authority, of } = body;
        return { authority, of, what: expiry.what, at: expiry.at, level: levelOf(expiry, body, now, settings) };
      }),
    )
    .sort(soonestFirst);
  const failures = bodies.flatMap(({ authority, of, failure }) =>
    failure === undefined ? [] : [{ authority, of, ...failure }],
  );
  return { rows, failures, outlook: outlookOf(rows, failures) };
}

function levelOf(expiry: Expiry, body: TrustStatus, now: Date, settings: ForecastSettings): ExpiryLevel {
  const left = expiry.at.getTime() - now.getTime();
  // Turned round, so that a date that is none is past, and a limit that is none is reached.
  if (!(left > 0)) return isSuperseded(expiry, body, now) ? 'due' : 'expired';
  return left > limitOf(expiry, settings) ? 'ok' : 'warning';
}

/** Whether what ended may have been renewed without our having looked: then it is no news until a pull asks. */
function isSuperseded(expiry: Expiry, { refreshedAt, failure }: TrustStatus, now: Date): boolean {
  if (failure !== undefined || refreshedAt === undefined) return false;
  if (!(expiry.at.getTime() > refreshedAt.getTime())) return false;
  return renewalOf(expiry) !== 'by-hand' || now.getTime() - refreshedAt.getTime() > IDLE_AFTER;
}

function limitOf(expiry: Expiry, { warnBefore }: ForecastSettings): number {
  const { at, since } = expiry;
  switch (renewalOf(expiry)) {
    case 'by-hand':
      return warnBefore;
    case 'on-demand':
      return 0;
    case 'online':
      return Math.min(warnBefore, since === undefined ? ONLINE_LIMIT : (at.getTime() - since.getTime()) * ONLINE_PART);
  }
}

function renewalOf({ renewal, what }: Expiry): NonNullable<Expiry['renewal']> {
  return renewal ?? (what === 'timestamp' || what === 'snapshot' ? 'online' : 'by-hand');
}

function outlookOf(rows: readonly ForecastRow[], failures: readonly FailedRefresh[]): Outlook {
  if (failures.length > 0 || rows.some(({ level }) => level === 'expired')) return 'bad';
  return rows.some(({ level }) => level === 'warning') ? 'warning' : 'good';
}

function soonestFirst(one: ForecastRow, other: ForecastRow): number {
  return momentOf(one.at) - momentOf(other.at) || compare(nameOf(one), nameOf(other));
}

/** In the order of time; a date that is none comes first. Finite, since `Infinity - Infinity` is no order. */
function momentOf(at: Date): number {
  const time = at.getTime();
  return Number.isNaN(time) ? -Number.MAX_SAFE_INTEGER : time;
}

function nameOf({ authority, of, what }: ForecastRow): string {
  return `${authority}\n${of}\n${what}`;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The troubles, at most three lines an authority, without the names of repositories: for whoever may reach the gateway. */
export function troublesOf({ rows, failures }: Forecast): string[] {
  const names = new Set([...failures, ...rows].map(({ authority }) => authority));
  return [...names].sort(compare).flatMap((name) => {
    const own = rows.filter(({ authority }) => authority === name);
    const failed = failures.filter(({ authority }) => authority === name);
    const reasons = [...new Set(failed.map(({ reason }) => reason))].sort(compare).join(', ');
    const expired = own.filter(({ level }) => level === 'expired').length;
    const [first, ...later] = own.filter(({ level }) => level === 'warning');
    return [
      ...(failed.length > 0
        ? [`${name}: ${failed.length} ${failed.length === 1 ? 'refresh fails' : 'refreshes fail'} (${reasons})`]
        : []),
      ...(expired > 0 ? [`${name}: ${expired} expired`] : []),
      ...(first === undefined ? [] : [`${name}: ${later.length + 1} to expire soon, the first on ${dayOf(first.at)}`]),
    ];
  });
}

/** `2026-12-08`, or `no date` for one that is none. */
export function dayOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? 'no date' : at.toISOString().slice(0, 10);
}
