import { styleText } from 'node:util';
import { dayOf, type ExpiryLevel, type Forecast, type ForecastRow } from '../trust/forecast.ts';
import type { AuthorityStatus, TrustStatus } from '../trust/status.ts';
import type { FoundStatus } from './status.ts';

/** Lines of things that are well; `--json` has all. */
const GOOD_LINES = 20;

interface Printing {
  readonly now: Date;
  readonly colour: boolean;
}

/** The status for a person: who says so, every authority, what ends when, and what it comes to. */
export function statusText(found: FoundStatus, seen: Forecast, printing: Printing): string {
  const lines = [
    ...sourceLines(found, printing.now),
    ...found.authorities.flatMap((authority) => ['', ...authorityLines(authority, printing)]),
    ...expiryLines(seen.rows, printing),
    '',
    summary(seen),
  ];
  return `${lines.join('\n')}\n`;
}

function sourceLines({ source, asOf, note }: FoundStatus, now: Date): string[] {
  if (source === 'gateway') {
    const age = Math.max(0, Math.round((now.getTime() - asOf.getTime()) / 1000));
    return [`Trust as the running gateway had it ${age} s ago`];
  }
  if (note === undefined) {
    return ['Trust as it is on disk: no gateway runs on this data folder, and why refreshes failed is not kept there'];
  }
  return [
    `Trust as it is on disk: another process owns the data folder, but what it knows cannot be had (${plain(note)})`,
  ];
}

function authorityLines({ name, kind, trust }: AuthorityStatus, printing: Printing): string[] {
  const head = `${name} (${kind})`;
  if (trust.length === 0) return [`${head}: nothing is trusted yet; it is asked at the first pull`];
  const failing = trust.filter(({ failure }) => failure !== undefined);
  const well = trust.filter(({ failure }) => failure === undefined);
  return [
    head,
    ...failing.flatMap((one) => trustLines(one, printing)),
    ...well.slice(0, GOOD_LINES).flatMap((one) => trustLines(one, printing)),
    ...(well.length > GOOD_LINES ? [`  and ${well.length - GOOD_LINES} more (--json has all)`] : []),
  ];
}

function trustLines({ of, refreshedAt, failure, versions }: TrustStatus, { colour }: Printing): string[] {
  const refreshed = refreshedAt === undefined ? 'never refreshed' : `refreshed ${momentOf(refreshedAt)}`;
  const roles = Object.entries(versions).map(([role, version]) => `${plain(role)} ${version}`);
  const line = [`${plain(of)}: ${refreshed}`, ...roles].join(', ');
  if (failure === undefined) return [`  ${paint('green', '✔', colour)} ${line}`];
  const why = `refresh failed ${momentOf(failure.at)}: ${plain(failure.message)} [${failure.reason}]`;
  return [`  ${paint('red', '✘', colour)} ${line}`, `      ${paint('red', why, colour)}`];
}

const MARKS: Record<ExpiryLevel, { readonly text: string; readonly style: 'green' | 'yellow' | 'red' }> = {
  ok: { text: 'ok', style: 'green' },
  due: { text: 'due', style: 'green' },
  warning: { text: 'warning', style: 'yellow' },
  expired: { text: 'expired', style: 'red' },
};

function expiryLines(rows: readonly ForecastRow[], { now, colour }: Printing): string[] {
  if (rows.length === 0) return [];
  const hidden = new Set(rows.filter(({ level }) => level === 'ok' || level === 'due').slice(GOOD_LINES));
  const shown = rows.filter((row) => !hidden.has(row));
  const lines = shown.map(({ authority, of, what, at, level }) => {
    const { text, style } = MARKS[level];
    return `  ${paint(style, text.padEnd(7), colour)}  ${dayOf(at)}  ${daysTo(at, now).padEnd(13)}  ${authority}  ${plain(of)}  ${plain(what)}`;
  });
  return [
    '',
    'What ends, soonest first',
    ...lines,
    ...(hidden.size > 0 ? [`  and ${hidden.size} more that are well (--json has all)`] : []),
  ];
}

function summary({ rows, failures, outlook }: Forecast): string {
  const count = (level: ExpiryLevel) => rows.filter((row) => row.level === level).length;
  if (outlook === 'good') return 'All is well';
  return `${count('expired')} expired, ${failures.length} failing, ${count('warning')} to expire soon: docs/operations.md says what to do`;
}

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;

function daysTo(at: Date, now: Date): string {
  const left = at.getTime() - now.getTime();
  if (Number.isNaN(left)) return '';
  const [unit, length] = Math.abs(left) < 2 * DAY ? (['h', HOUR] as const) : (['days', DAY] as const);
  const count = Math.floor(Math.abs(left) / length);
  return left > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

function momentOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? 'at no date' : at.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What a trust server wrote into a name or a message must not steer the terminal. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}

function paint(style: 'green' | 'yellow' | 'red', text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}
