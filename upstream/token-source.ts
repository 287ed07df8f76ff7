import { readWhole } from './bounded-body.ts';
import type { Login } from './credentials.ts';
import { basicAuthorization } from './credentials.ts';
import { type Answer, explain, type Request } from './exchange.ts';
import type { Limits } from './limits.ts';
import type { Pace } from './pace.ts';
import type { Reach } from './reach.ts';
import type { Secret } from './secret.ts';
import { checkEncoding } from './settle.ts';
import { parseToken, type Token } from './token.ts';
import { tokenRealm } from './token-realm.ts';
import { UpstreamError } from './upstream-error.ts';

/** Answers are a few KB; a JWT with many scopes some tens. */
const ANSWER_LIMIT = 64 * 1024;
/** Scopes remembered; one a repository. The oldest go first. */
const TOKEN_LIMIT = 1000;

const CLIENT_ID = 'docklock';

/** A Bearer challenge that is to be met: what to ask, where, and how far that request may reach. */
export interface Grant {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string | undefined;
  readonly reach: Reach;
}

export interface TokenSourceOptions {
  readonly upstream: URL;
  readonly tokenHosts: readonly string[];
  readonly login: () => Promise<Login>;
  /** One request on the wire; a status other than 200 is an answer too. */
  readonly send: (request: Request) => Promise<Answer>;
  readonly limits: Limits;
  readonly pace: Pace;
  readonly now: () => Date;
}

/** Tokens of one upstream: kept per scope, renewed before they expire, one request per scope at a time. */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #flights = new Map<string, Promise<Token>>();

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** @throws UpstreamError forbidden-target, denied, bad-answer, or what kept the token server from answering */
  async token(grant: Grant): Promise<Secret> {
    const key = keyOf(grant);
    const kept = this.#tokens.get(key);
    if (kept !== undefined && this.#options.now() < kept.renewAt) return kept.bearer;
    const running = this.#flights.get(key);
    if (running !== undefined) return (await running).bearer;
    const flight = this.#ask(grant).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return (await flight).bearer;
  }

  /** Drops a token that was refused; a newer one that someone else already fetched stays. */
  refused(grant: Grant, bearer: Secret): void {
    const key = keyOf(grant);
    if (this.#tokens.get(key)?.bearer.equals(bearer) === true) this.#tokens.delete(key);
  }

  async #ask(grant: Grant): Promise<Token> {
    const { upstream, tokenHosts, limits, pace, now } = this.#options;
    const login = await this.#options.login();
    const url = tokenRealm({ upstream, realm: grant.realm, withCredentials: login.kind !== 'anonymous', tokenHosts });
    const answer = await this.#options.send(tokenRequest(url, grant, login));
    if (answer.status !== 200) {
      answer.body.destroy();
      throw refusal(answer);
    }
    checkEncoding(answer);
    const bytes = await readWhole(answer.body, answer.headers['content-length'], ANSWER_LIMIT, {
      host: url.host,
      limits,
      pace,
      explain: (cause) => explain(cause, url),
    });
    const token = parseToken(bytes, url.host, now());
    this.#keep(keyOf(grant), token);
    return token;
  }

  #keep(key: string, token: Token): void {
    this.#tokens.delete(key);
    this.#tokens.set(key, token);
    const oldest = this.#tokens.keys().next().value;
    if (this.#tokens.size > TOKEN_LIMIT && oldest !== undefined) this.#tokens.delete(oldest);
  }
}

/** distribution-spec token authentication: GET with Basic; with a refresh token, OAuth2's POST. */
function tokenRequest(realm: URL, { service, scope, reach }: Grant, login: Login): Request {
  const parameters = {
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
  if (login.kind === 'refresh-token') {
    const form = {
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      ...parameters,
      refresh_token: login.token.reveal(),
    };
    return { method: 'POST', url: realm, headers: {}, form, reach };
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  if (login.kind === 'anonymous') return { method: 'GET', url, headers: {}, reach };
  url.searchParams.set('account', login.username);
  return { method: 'GET', url, headers: { authorization: basicAuthorization(login).reveal() }, reach };
}

/** Redirects are not followed: nobody's credentials, or token, should depend on where a token server points. */
function refusal({ status, url }: Answer): UpstreamError {
  const message = `expected a token from ${url.host}, got status ${status}`;
  if (status === 401 || status === 403) return new UpstreamError('denied', message, { status });
  return new UpstreamError(status >= 500 ? 'server-error' : 'bad-answer', message, { status });
}

function keyOf({ realm, service, scope }: Grant): string {
  return JSON.stringify([realm, service, scope]);
}
