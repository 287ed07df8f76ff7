import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../oci/log.ts';
import { type Authorization, Authorizer } from './authorizer.ts';
import { type BodyPlan, BoundedBody, readWhole } from './bounded-body.ts';
import type { Credentials } from './credentials.ts';
import { type Answer, exchange, explain, type Request } from './exchange.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { Network, type NetworkOptions } from './network.ts';
import { abortable, type Pace, REAL_PACE } from './pace.ts';
import { ownReach, type Reach, reachFrom } from './reach.ts';
import { isRedirect, redirectTarget } from './redirect.ts';
import { withRetries } from './retry.ts';
import { parseRetryAfter, RateLimits } from './retry-after.ts';
import { checkEncoding, isMissing, notWhole, rateLimited, settle } from './settle.ts';
import { UpstreamError } from './upstream-error.ts';

const REDIRECT_LIMIT = 5;

/** Bodies nobody wants (of redirects, challenges, 404s) are read on, briefly, only to keep the connection. */
const DISCARD_BYTES = 64 * 1024;
const DISCARD_MS = 500;

export interface SessionOptions extends NetworkOptions {
  /** Named in the log. */
  readonly name: string;
  /** http or https; a path is the prefix of every request. */
  readonly url: string;
  readonly credentials: Credentials;
  /** Hosts, besides the upstream's own and those beside it, that may be sent its credentials to get a token. */
  readonly tokenHosts?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly log: Log;
  readonly now: () => Date;
  readonly pace?: Pace;
}

export interface Ask {
  /** Made by `url()`. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** The token scope it needs: `repository:<name>:pull`. */
  readonly scope?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface Document extends Answered {
  readonly bytes: Buffer;
}

export interface Opened extends Answered {
  /** The body, to be read with a plan of how much is expected, or destroyed. */
  readonly read: (plan: Pick<BodyPlan, 'skip' | 'exactly'>) => BoundedBody;
  readonly drop: () => void;
}

/**
 * Requests to one upstream: authorised, bounded, retried, redirected by hand. What comes back is a 2xx, or undefined for
 * 404 and 410; everything else is thrown as UpstreamError, and the signal's reason when it aborts. Nothing is believed.
 */
export class HttpSession {
  readonly base: URL;
  readonly #options: SessionOptions;
  readonly #limits: Limits;
  readonly #pace: Pace;
  readonly #network: Network;
  readonly #authorizer: Authorizer;
  readonly #rateLimits = new RateLimits();
  readonly #closing = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.base = new URL(options.url);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#pace = options.pace ?? REAL_PACE;
    this.#network = new Network(options);
    this.#authorizer = new Authorizer({
      upstream: this.base,
      tokenHosts: options.tokenHosts ?? [],
      credentials: options.credentials,
      send: (request) => this.#askToken(request),
      limits: this.#limits,
      pace: this.#pace,
      now: options.now,
    });
  }

  /** An address below the base. `path` begins with a slash. */
  url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`${this.base.pathname.replace(/\/+$/, '')}${path}`, this.base.origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  head(ask: Ask): Promise<Answered | undefined> {
    return this.#retrying(ask, async (signal) => {
      const answer = await this.#open('HEAD', { ...ask, signal });
      await this.#discard(answer);
      return isMissing(answer) ? undefined : answer;
    });
  }

  /** A 200 whose body has at most `limit` bytes. @throws BodyTooLarge */
  document(ask: Ask, limit: number): Promise<Document | undefined> {
    return this.#retrying(ask, async (signal) => {
      const answer = await this.#open('GET', { ...ask, signal });
      if (isMissing(answer)) return this.#discard(answer);
      const { status, headers, url, body } = answer;
      if (status !== 200) throw notWhole(answer);
      checkEncoding(answer);
      const bytes = await readWhole(body, headers['content-length'], limit, this.#plan(url, signal));
      return { status, headers, bytes };
    });
  }

  /** Retried until the body begins, and not within it. */
  stream(ask: Ask): Promise<Opened | undefined> {
    return this.#retrying(ask, async (signal) => {
      const answer = await this.#open('GET', { ...ask, signal });
      if (isMissing(answer)) return this.#discard(answer);
      checkEncoding(answer);
      const { status, headers, url, body } = answer;
      const read: Opened['read'] = (wanted) => new BoundedBody(body, { ...this.#plan(url, signal), ...wanted });
      return { status, headers, read, drop: () => body.destroy() };
    });
  }

  /** Ends what is under way: it fails as unreachable. */
  close(): void {
    this.#closing.abort(
      new UpstreamError('unreachable', `expected an answer from ${this.base.host}, got closed by us`),
    );
    this.#network.close();
  }

  #retrying<T>(ask: Ask, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const closing = this.#closing.signal;
    const signal = ask.signal === undefined ? closing : AbortSignal.any([ask.signal, closing]);
    const onRetry = ({ failure, status, message }: UpstreamError, wait: number) => {
      this.#options.log.warn({ upstream: this.#options.name, failure, status, wait }, `${message}; trying again`);
    };
    return withRetries(() => attempt(signal), { pace: this.#pace, signal, onRetry });
  }

  async #open(method: 'GET' | 'HEAD', ask: Ask): Promise<Answer> {
    const sent = await abortable(this.#authorizer.authorization(ask.scope), ask.signal);
    const first = await this.#follow(method, ask, sent);
    // Only the upstream itself may challenge: a storage host that it sent us to gets no credentials, whatever it asks.
    if (first.status !== 401 || first.url.origin !== this.base.origin) return settle(first, this.#options.now());
    await this.#discard(first);
    const challenge = first.headers['www-authenticate'];
    const refusal = { challenge, scope: ask.scope, reach: reachFrom(first.peer), sent };
    const authorization = await abortable(this.#authorizer.answer(refusal), ask.signal);
    return settle(await this.#follow(method, ask, authorization), this.#options.now());
  }

  async #follow(method: 'GET' | 'HEAD', ask: Ask, authorization: Authorization | undefined): Promise<Answer> {
    let { url } = ask;
    let reach = this.#ownReach();
    let strayed = false;
    for (let hops = 0; hops <= REDIRECT_LIMIT; hops += 1) {
      // Credentials never leave the origin they are for, and never come back once the chain has left it.
      const own = strayed || authorization === undefined ? {} : { authorization: authorization.header.reveal() };
      const answer = await this.#send({ method, url, headers: { ...ask.headers, ...own }, reach, signal: ask.signal });
      if (!isRedirect(answer.status)) return answer;
      await this.#discard(answer);
      url = redirectTarget(url, answer.headers.location);
      strayed ||= url.origin !== this.base.origin;
      if (strayed) reach = reachFrom(answer.peer);
    }
    throw new UpstreamError(
      'bad-answer',
      `expected at most ${REDIRECT_LIMIT} redirects from ${this.base.host}, got more`,
    );
  }

  /** On the upstream's own host it reaches what the upstream itself does; elsewhere, what the challenger's address allows. */
  #askToken(request: Request): Promise<Answer> {
    const reach = request.url.hostname === this.base.hostname ? this.#ownReach() : request.reach;
    return this.#send({ ...request, reach, signal: this.#closing.signal });
  }

  #ownReach(): Reach {
    return ownReach(this.base.hostname, this.#network.classOf);
  }

  async #send(request: Request): Promise<Answer> {
    const { host } = request.url;
    const { now, log, name } = this.#options;
    const left = this.#rateLimits.remaining(host, now());
    if (left > 0) throw rateLimited(host, left);
    const answer = await exchange(request, this.#network, this.#limits);
    log.debug({ upstream: name, method: request.method, host, status: answer.status }, 'upstream answered');
    if (answer.status !== 429) return answer;
    answer.body.destroy();
    const retryAfter = parseRetryAfter(answer.headers['retry-after'], now());
    if (retryAfter !== undefined) this.#rateLimits.remember(host, retryAfter, now());
    throw rateLimited(host, retryAfter);
  }

  async #discard({ body, url }: Answer): Promise<undefined> {
    const plan = this.#plan(url, undefined);
    const limits = { ...this.#limits, idle: DISCARD_MS, document: DISCARD_MS };
    try {
      await readWhole(body, undefined, DISCARD_BYTES, { ...plan, limits });
    } catch {
      // Dropped on purpose: a body that nobody wanted ended badly, and its connection is closed with it.
    }
  }

  #plan(url: URL, signal: AbortSignal | undefined): BodyPlan {
    const { host } = url;
    return { host, limits: this.#limits, pace: this.#pace, explain: (cause) => explain(cause, url, signal) };
  }
}
