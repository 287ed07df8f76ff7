/**
 * Bytes on a socket, for what no HTTP client would send: paths that are not normalised, bombs, garbage.
 *
 *   const answer = await rawRequest(gateway.url, 'GET /v2/corp/../app/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n');
 *   answer.status; answer.phrase; answer.headers; answer.body
 */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** 0 when the connection was closed without an answer. */
  readonly status: number;
  readonly phrase: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** All that came, as it came. */
  readonly text: string;
}

/** Sends the bytes and reads until the gateway closes. A request that keeps the connection has to ask for the end. */
export function rawRequest(url: string, bytes: string | Buffer | Iterable<string | Buffer>): Promise<RawAnswer> {
  const pieces = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes;
  return new Promise((resolve) => {
    const socket = open(url);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A gateway that has heard enough resets; what it said before is what counts.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
    send(socket, pieces[Symbol.iterator]());
  });
}

/** `GET path`, with nothing in it changed. */
export function rawGet(url: string, path: string, headers: readonly string[] = []): Promise<RawAnswer> {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: gateway', 'Connection: close', ...headers, '', ''];
  return rawRequest(url, Buffer.from(lines.join('\r\n'), 'latin1'));
}

export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect({ host: hostname, port: Number(port), allowHalfOpen: true });
}

function send(socket: Socket, pieces: Iterator<string | Buffer>): void {
  const { done, value } = pieces.next();
  // Not ended when all is sent: a client that closes its half has gone, to Node's server, and gets no answer.
  if (done === true || socket.destroyed || socket.readableEnded) return;
  socket.write(value, (error) => {
    if (error === undefined || error === null) send(socket, pieces);
  });
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split('\r\n');
  const [, status = '0', phrase = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(first) ?? [];
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(status), phrase, headers, body: end < 0 ? '' : text.slice(end + 4), text };
}
