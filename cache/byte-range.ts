/** Bytes `start` to `end`, both included: RFC 9110, "Byte Ranges", after it was checked against the size. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** From `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The whole when there is no range. @throws RangeError unless the range is within `size` bytes. */
export function spanOf(range: ByteRange | undefined, size: number): Span {
  if (range === undefined) return { start: 0, end: size };
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end >= size) {
    throw new RangeError(`expected a range within ${size} bytes, got ${start}-${end}`);
  }
  return { start, end: end + 1 };
}
