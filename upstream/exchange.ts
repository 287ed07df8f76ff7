import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import got, { TimeoutError } from 'got';
import type { AddressClass } from './address-class.ts';
import type { Limits } from './limits.ts';
import type { Network } from './network.ts';
import { bareHost, type Reach } from './reach.ts';
import { UpstreamError } from './upstream-error.ts';

/** Header block of one answer, in bytes; Node's own default, written down because it stops header bombs. */
const HEADER_LIMIT = 16 * 1024;

const USER_AGENT = 'docklock';

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly reach: Reach;
  readonly signal?: AbortSignal | undefined;
}

/** One answer to one request, as it came: redirects, challenges and errors are answers like any other. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What kind of address answered; undefined when the socket was gone already. */
  readonly peer: AddressClass | undefined;
  /** To be read or destroyed, also when empty. */
  readonly body: Readable;
}

/**
 * One HTTP request on the wire, without any of got's own helpfulness: no redirects, retries, decompression, cache, cookies.
 * @throws UpstreamError when no answer came; the signal's reason when it aborted
 */
export async function exchange(request: Request, network: Network, limits: Limits): Promise<Answer> {
  const { url, signal } = request;
  signal?.throwIfAborted();
  const agent = network.agentsFor(url, request.reach);
  const stream = got.stream(url, {
    method: request.method,
    // Anything but identity would be other bytes than the digest names.
    headers: { 'user-agent': USER_AGENT, 'accept-encoding': 'identity', ...request.headers },
    ...(request.form === undefined ? {} : { form: request.form }),
    ...(signal === undefined ? {} : { signal }),
    agent,
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    decompress: false,
    maxHeaderSize: HEADER_LIMIT,
    timeout: {
      lookup: limits.connect,
      connect: limits.connect,
      secureConnect: limits.connect,
      response: limits.firstByte,
    },
  });
  const { status, headers, ip } = await headersOf(stream, url, limits, signal);
  const peer = ip === undefined ? undefined : network.classOf(bareHost(ip));
  return { url, status, headers, peer, body: stream };
}

interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly ip: string | undefined;
}

function headersOf(
  stream: ReturnType<typeof got.stream>,
  url: URL,
  limits: Limits,
  signal?: AbortSignal,
): Promise<Head> {
  const { promise, resolve, reject } = Promise.withResolvers<Head>();
  // Also bounds what got does not time: waiting in line for a socket, and endless 1xx answers.
  const late = setTimeout(() => {
    stream.destroy(new UpstreamError('timed-out', `expected headers from ${url.host}, got none in time`));
  }, limits.connect + limits.firstByte);
  const fail = (cause: unknown) => {
    clearTimeout(late);
    reject(explain(cause, url, signal));
  };
  stream.once('error', fail);
  stream.once('response', (response) => {
    clearTimeout(late);
    stream.off('error', fail);
    // Between here and whoever reads the body, a reset must not be an uncaught error; the reader asks how it ended.
    stream.on('error', () => undefined);
    resolve({ status: response.statusCode, headers: response.headers, ip: response.ip });
  });
  return promise;
}

/**
 * What the socket layer threw, in our words. The original is not kept as the cause: got's errors carry the
 * request's options, with the Authorization header, to every logger that prints an error's properties.
 */
export function explain(cause: unknown, url: URL, signal?: AbortSignal): Error {
  if (signal?.aborted === true) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
  const ours = ownError(cause);
  if (ours !== undefined) return ours;
  const code = codeOf(cause);
  if (cause instanceof TimeoutError || code === 'ETIMEDOUT') {
    const phase = cause instanceof TimeoutError ? cause.event : 'connect';
    return new UpstreamError('timed-out', `expected an answer from ${url.host}, got a time-out (${phase})`);
  }
  // llhttp's codes: what came is not HTTP, or has headers beyond the limit.
  if (code.startsWith('HPE_')) {
    return new UpstreamError('bad-answer', `expected an HTTP answer from ${url.host}, got something else (${code})`);
  }
  return new UpstreamError('unreachable', `expected an answer from ${url.host}, got ${code}`);
}

function ownError(error: unknown): UpstreamError | undefined {
  if (error instanceof UpstreamError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : undefined;
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'a failed connection';
}
