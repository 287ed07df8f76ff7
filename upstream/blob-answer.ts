import type { IncomingHttpHeaders } from 'node:http';
import { UpstreamError } from './upstream-error.ts';

export interface BlobPart {
  /** First byte wanted. */
  readonly offset: number;
  /** Bytes of the whole blob. */
  readonly size: number;
}

const CONTENT_RANGE = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/;

/** RFC 9110, "Range"; undefined for a whole blob, which needs none. */
export function rangeHeader({ offset, size }: BlobPart): string | undefined {
  return offset === 0 ? undefined : `bytes=${offset}-${size - 1}`;
}

/**
 * How many bytes of the body to drop before the part begins, once the headers are found to promise that part: a 206 of
 * exactly it, or a 200 of the whole blob from a server that ignores Range.
 * @throws UpstreamError bad-answer when they promise anything else, before a byte is read
 */
export function bytesToSkip(status: number, headers: IncomingHttpHeaders, part: BlobPart, host: string): number {
  const { offset, size } = part;
  if (status === 200) {
    checkLength(headers['content-length'], size, host);
    return offset;
  }
  if (status !== 206 || offset === 0)
    throw bad(`status ${offset === 0 ? 200 : '206 or 200'} from ${host}`, `${status}`);
  const [, first, last, total] = CONTENT_RANGE.exec(headers['content-range'] ?? '') ?? [];
  if (Number(first) !== offset || Number(last) !== size - 1 || (total !== '*' && Number(total) !== size)) {
    throw bad(`Content-Range bytes ${offset}-${size - 1}/${size} from ${host}`, 'another one');
  }
  checkLength(headers['content-length'], size - offset, host);
  return 0;
}

function checkLength(text: string | undefined, expected: number, host: string): void {
  if (text !== undefined && text !== String(expected))
    throw bad(`Content-Length ${expected} from ${host}`, 'another one');
}

function bad(expected: string, got: string): UpstreamError {
  return new UpstreamError('bad-answer', `expected ${expected}, got ${got}`);
}
