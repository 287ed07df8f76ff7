import { Readable } from 'node:stream';
import type { Limits } from './limits.ts';
import type { Pace } from './pace.ts';
import { BodyTooLarge, UpstreamError } from './upstream-error.ts';

export interface BodyPlan {
  /** Named in errors. */
  readonly host: string;
  readonly limits: Limits;
  readonly pace: Pace;
  /** Bytes to drop first: a server that ignores Range starts at 0. */
  readonly skip?: number;
  /** The bytes that must then come: one less or more is an error. */
  readonly exactly?: number;
  /** Turns what the socket layer threw into an UpstreamError. */
  readonly explain: (cause: unknown) => Error;
}

/**
 * A body that cannot outstay or overrun: silence longer than `limits.idle`, less than `limits.minRate`, a byte too many
 * or too few each end it with an UpstreamError. Time counts only while our reader wants bytes, so that a slow reader is
 * never blamed on the upstream. Destroying it closes the connection.
 */
export class BoundedBody extends Readable {
  readonly #source: Readable;
  readonly #plan: BodyPlan;
  #silence: NodeJS.Timeout | undefined;
  #toSkip: number;
  #received = 0;
  #ended = false;
  #wantedSince: number | undefined;
  #waited = 0;
  #windowBytes = 0;

  constructor(source: Readable, plan: BodyPlan) {
    super();
    this.#source = source;
    this.#plan = plan;
    this.#toSkip = plan.skip ?? 0;
    source.on('readable', () => this.#pull());
    source.once('end', () => this.#end());
    source.once('error', (cause) => this.destroy(plan.explain(cause)));
    source.once('close', () => this.#cut());
    // It may have failed before anyone listened.
    if (source.destroyed) this.destroy(plan.explain(source.errored));
  }

  override _read(): void {
    if (this.#wantedSince === undefined) this.#want();
    this.#pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#silence);
    // Nobody listens to the source any more; its last words must not become an uncaught error.
    this.#source.on('error', () => undefined);
    this.#source.destroy();
    callback(error);
  }

  #want(): void {
    this.#wantedSince = this.#plan.pace.elapsed();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#tooLong(), this.#plan.limits.idle);
  }

  #pull(): void {
    while (this.#wantedSince !== undefined && !this.destroyed) {
      const chunk: Buffer | null = this.#source.read();
      if (chunk === null) return;
      this.#take(chunk, this.#wantedSince);
    }
  }

  #take(chunk: Buffer, wantedSince: number): void {
    this.#wantedSince = undefined;
    const { exactly } = this.#plan;
    if (this.#tooSlow(chunk.byteLength, wantedSince)) return;
    const wanted = chunk.subarray(this.#toSkip);
    this.#toSkip -= chunk.byteLength - wanted.byteLength;
    this.#received += wanted.byteLength;
    if (exactly !== undefined && this.#received > exactly) {
      this.#fail(new UpstreamError('bad-answer', `expected ${exactly} bytes from ${this.#plan.host}, got more`));
    } else if (wanted.byteLength === 0 || this.push(wanted)) {
      this.#want();
    }
  }

  /** Slow-drip attack: a byte now and then keeps any idle limit happy and a slot busy for ever. */
  #tooSlow(bytes: number, wantedSince: number): boolean {
    const { limits, pace, host } = this.#plan;
    this.#waited += pace.elapsed() - wantedSince;
    this.#windowBytes += bytes;
    if (this.#waited < limits.rateWindow) return false;
    const slow = this.#windowBytes * 1000 < limits.minRate * this.#waited;
    this.#waited = 0;
    this.#windowBytes = 0;
    if (slow) {
      this.#fail(
        new UpstreamError('timed-out', `expected at least ${limits.minRate} bytes a second from ${host}, got fewer`),
      );
    }
    return slow;
  }

  #tooLong(): void {
    if (this.#wantedSince === undefined) return;
    const { host, limits } = this.#plan;
    this.#fail(
      new UpstreamError('timed-out', `expected more of the body from ${host} within ${limits.idle} ms, got nothing`),
    );
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#silence);
    const { exactly, host } = this.#plan;
    if (exactly !== undefined && this.#received < exactly) {
      this.#fail(new UpstreamError('bad-answer', `expected ${exactly} bytes from ${host}, got ${this.#received}`));
    } else {
      this.push(null);
    }
  }

  #cut(): void {
    if (this.#ended || this.destroyed) return;
    this.#fail(
      new UpstreamError('unreachable', `expected more of the body from ${this.#plan.host}, got the connection closed`),
    );
  }

  #fail(error: UpstreamError): void {
    this.destroy(error);
  }
}

/**
 * A whole body of at most `limit` bytes, within `limits.document` milliseconds.
 * @throws BodyTooLarge, UpstreamError
 */
export async function readWhole(
  source: Readable,
  contentLength: string | undefined,
  limit: number,
  plan: BodyPlan,
): Promise<Buffer> {
  const body = new BoundedBody(source, plan);
  if (contentLength !== undefined && Number(contentLength) > limit) {
    body.destroy();
    throw new BodyTooLarge(plan.host, limit);
  }
  const { document } = plan.limits;
  const late = setTimeout(() => {
    body.destroy(
      new UpstreamError('timed-out', `expected the whole body from ${plan.host} within ${document} ms, got part of it`),
    );
  }, document);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > limit) throw new BodyTooLarge(plan.host, limit);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(late);
    body.destroy();
  }
  return Buffer.concat(chunks, size);
}
