import { RegistryError } from '../oci/registry-error.ts';

/** Bytes `start` to `end`, both included, zero based. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const SINGLE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * RFC 9110, section "Range Requests": the one range asked for, cut to the size in bytes. Undefined stands for the whole body:
 * no Range, several ranges, or another unit, all of which a server may answer in full.
 * @throws RegistryError RANGE_INVALID when nothing of the range exists
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = SINGLE_RANGE.exec(header.trim());
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') return suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(header, size);
  return { start, end };
}

function suffix(length: number, size: number): ByteRange {
  if (length === 0 || size === 0) throw unsatisfiable(`bytes=-${length}`, size);
  return { start: Math.max(0, size - length), end: size - 1 };
}

function unsatisfiable(header: string, size: number): RegistryError {
  return new RegistryError('RANGE_INVALID', `expected a range within ${size} bytes, got ${header.slice(0, 60)}`);
}
