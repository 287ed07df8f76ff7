import { echo, malformed } from './metadata-error.ts';

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

const MINUTE = 60_000;

/**
 * A moment as Go writes it: RFC 3339, up to nanoseconds, any offset; cut to milliseconds, so never later than written.
 * Days that no calendar has are refused rather than rolled over, as `Date` would.
 * @throws MetadataError METADATA_INVALID
 */
export function parseExpiry(text: string, where: string): Date {
  const match = RFC_3339.exec(text);
  if (match === null) throw malformed(where, 'expires as an RFC 3339 time', echo(text));
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const millisecond = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second, millisecond);
  const offset = offsetOf(match[8], match[9], match[10]);
  const exists =
    local.getUTCMonth() === month - 1 && local.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists || offset === undefined) throw malformed(where, 'expires as a time that exists', echo(text));
  return new Date(local.getTime() - offset);
}

function offsetOf(sign = '+', hours = '00', minutes = '00'): number | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return sign === '-' ? -offset : offset;
}
