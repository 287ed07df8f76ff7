import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REFUSAL_REASONS, type Reason, UNDETERMINED_REASONS } from '../trust/reason.ts';
import type { AuthorityStatus, Expiry, RefreshTrouble, Renewal, TrustStatus } from '../trust/status.ts';

/** How the trust of a running gateway stood when it last looked: in a file, for commands beside it. */
export interface WrittenStatus {
  readonly writtenAt: Date;
  readonly authorities: readonly AuthorityStatus[];
}

/** The layout. A later one is not half understood. */
const FORMAT = 1;

/** Thousands of repositories take some megabytes. Bytes. */
const SIZE_LIMIT = 64 * 1024 * 1024;

/** Names of repositories may be confidential. */
const FILE_MODE = 0o600;

/** Replaces the file as a whole, without waiting for the disk: it says nothing that a restart needs. @throws the disk's errors */
export async function writeStatusFile(data: string, { writtenAt, authorities }: WrittenStatus): Promise<void> {
  const aside = `${statusPath(data)}.new`;
  await writeFile(aside, `${JSON.stringify({ format: FORMAT, writtenAt, authorities })}\n`, { mode: FILE_MODE });
  await rename(aside, statusPath(data));
}

export async function removeStatusFile(data: string): Promise<void> {
  await rm(statusPath(data), { force: true });
}

/** @throws when there is no such file, or it is not one that `writeStatusFile` wrote */
export async function readStatusFile(data: string): Promise<WrittenStatus> {
  const { size } = await stat(statusPath(data));
  if (size > SIZE_LIMIT) throw new RangeError(`expected a status of at most ${SIZE_LIMIT} bytes, got ${size}`);
  const written = record(JSON.parse(await readFile(statusPath(data), 'utf8')));
  if (written.format !== FORMAT) throw new RangeError(`expected a status of format ${FORMAT}, got another`);
  return { writtenAt: date(written.writtenAt), authorities: list(written.authorities).map(authority) };
}

function statusPath(data: string): string {
  return join(data, 'status.json');
}

function authority(value: unknown): AuthorityStatus {
  const { name, kind, trust } = record(value);
  return { name: text(name), kind: text(kind), trust: list(trust).map(trustStatus) };
}

function trustStatus(value: unknown): TrustStatus {
  const { of, refreshedAt, failure, versions, expiries } = record(value);
  const numbers = Object.entries(record(versions)).filter((entry): entry is [string, number] =>
    Number.isFinite(entry[1]),
  );
  return {
    of: text(of),
    refreshedAt: refreshedAt === undefined ? undefined : date(refreshedAt),
    failure: failure === undefined ? undefined : trouble(failure),
    versions: Object.fromEntries(numbers),
    expiries: list(expiries).map(expiry),
  };
}

function trouble(value: unknown): RefreshTrouble {
  const { reason, message, at } = record(value);
  if (!isReason(reason)) throw new RangeError('expected a reason code in the status, got another');
  return { reason, message: text(message), at: date(at) };
}

function expiry(value: unknown): Expiry {
  const { what, at, renewal, since } = record(value);
  return {
    what: text(what),
    at: date(at),
    ...(isRenewal(renewal) ? { renewal } : {}),
    ...(since === undefined ? {} : { since: date(since) }),
  };
}

function isReason(value: unknown): value is Reason {
  return (
    typeof value === 'string' && (Object.hasOwn(REFUSAL_REASONS, value) || Object.hasOwn(UNDETERMINED_REASONS, value))
  );
}

function isRenewal(value: unknown): value is Renewal {
  return value === 'by-hand' || value === 'online' || value === 'on-demand';
}

/** `null` is how a date that is none is written, and reads as one that is none. */
function date(value: unknown): Date {
  return new Date(typeof value === 'string' ? value : Number.NaN);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new RangeError(`expected text in the status, got ${typeof value}`);
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new RangeError(`expected a list in the status, got ${typeof value}`);
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw new RangeError(`expected an object in the status, got ${typeof value}`);
  return value as Readonly<Record<string, unknown>>;
}
