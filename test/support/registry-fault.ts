import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { MemoryAnswer } from '../../bin/demo/memory-registry.ts';

/** What goes wrong with one answer. Fields combine; those about the body act on what would have been sent. */
export interface Fault {
  /** This answer instead of the real one, as far as given. */
  readonly status?: number;
  readonly body?: string | Uint8Array;
  /** Set, or with undefined left out. Content-Length is the true one unless named here. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** One byte of the body is another one. */
  readonly tamper?: 'first' | 'middle' | 'last';
  /** The connection is cut after this many bytes of the body. */
  readonly cutAfter?: number;
  /** No Content-Length, and bytes without end. */
  readonly endless?: boolean;
  /** Range is not heeded: a 200 with the whole blob. */
  readonly ignoreRange?: boolean;
  /** Nothing at all is answered until this resolves. */
  readonly hangUntil?: Promise<unknown>;
  /** The body comes in pieces of this many bytes, each sent when `beforePiece` has resolved. */
  readonly pieces?: number;
  readonly beforePiece?: (at: number) => Promise<unknown>;
  /** The connection is closed without an answer. */
  readonly reset?: boolean;
  /** A 102 every so many milliseconds, and never the real answer. */
  readonly provisional?: number;
  /** Bytes as they are, instead of an HTTP answer. */
  readonly raw?: string;
}

const ENDLESS_CHUNK = Buffer.alloc(64 * 1024, 'x');

/** Sends an answer, spoilt as the fault says. Ends when the answer has, or when the client has gone. */
export async function sendFaulty(
  answer: MemoryAnswer,
  fault: Fault,
  response: ServerResponse,
  head: boolean,
): Promise<void> {
  await fault.hangUntil;
  if (fault.reset === true) return void response.socket?.destroy();
  if (fault.raw !== undefined) return void response.socket?.end(fault.raw);
  if (fault.provisional !== undefined) return provisional(response, fault.provisional);
  const body = tampered(fault.body === undefined ? answer.body : Buffer.from(fault.body), fault.tamper);
  const length: Record<string, string> = fault.endless === true ? {} : { 'content-length': String(body.byteLength) };
  const headers = Object.entries({ ...length, ...answer.headers, ...fault.headers });
  response.statusCode = fault.status ?? answer.status;
  for (const [name, value] of headers) {
    if (value !== undefined) response.setHeader(name, value);
  }
  if (head) return void response.end();
  if (fault.endless === true) return endless(response, body);
  await sendPieces(body.subarray(0, fault.cutAfter), fault, response);
  if (fault.cutAfter !== undefined) response.write('', () => response.socket?.destroy());
  else response.end();
}

function tampered(body: Buffer, where: Fault['tamper']): Buffer {
  if (where === undefined || body.byteLength === 0) return body;
  const at = { first: 0, middle: Math.floor(body.byteLength / 2), last: body.byteLength - 1 }[where];
  const copy = Buffer.from(body);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

async function sendPieces(body: Buffer, { pieces, beforePiece }: Fault, response: ServerResponse): Promise<void> {
  response.flushHeaders();
  const size = pieces ?? Math.max(body.byteLength, 1);
  for (let at = 0; at < body.byteLength && !response.destroyed; at += size) {
    await beforePiece?.(at / size);
    if (response.destroyed) return;
    await new Promise<void>((resolve) => response.write(body.subarray(at, at + size), () => resolve()));
  }
}

function provisional(response: ServerResponse, every: number): void {
  const timer = setInterval(() => response.writeProcessing(), every);
  response.once('close', () => clearInterval(timer));
}

async function endless(response: ServerResponse, begin: Buffer): Promise<void> {
  let gone = false;
  response.once('close', () => {
    gone = true;
  });
  response.write(begin);
  while (!gone) {
    response.write(ENDLESS_CHUNK);
    // A turn of the event loop, so that the close of a client that has gone is seen at all.
    await new Promise((resolve) => setImmediate(resolve));
    if (response.writableNeedDrain) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
}
