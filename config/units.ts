/** The units of time a configuration may use, in milliseconds. */
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The units of size a configuration may use, in bytes: decimal (GB) and binary (GiB), as storage is sold and as it is measured. */
const BYTES = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** The milliseconds of `500ms`, `10s`, `15m`, `24h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return quantity(text, MILLISECONDS);
}

/** The bytes of `500MB` or `50GiB`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  return quantity(text, BYTES);
}

/** The shortest way to write a duration that `parseDuration` reads back as the same. */
export function formatDuration(milliseconds: number): string {
  return written(milliseconds, MILLISECONDS);
}

/** A whole number and a unit, and no more: a bare number or a fraction would leave room to mean something else. */
function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(0|[1-9][0-9]{0,15})([A-Za-z]{1,3})$/.exec(text);
  if (match === null) return undefined;
  const [, count, unit] = match;
  const amount = Number(count) * (units[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

function written(amount: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount % factor === 0);
  const [unit, factor] = fitting.reduce((best, next) => (next[1] > best[1] ? next : best));
  return `${amount / factor}${unit}`;
}
