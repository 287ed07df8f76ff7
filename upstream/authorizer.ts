import { parseChallenge } from './challenge.ts';
import { basicAuthorization, type Credentials, LoginReader } from './credentials.ts';
import type { Reach } from './reach.ts';
import { Secret } from './secret.ts';
import { type Grant, TokenSource, type TokenSourceOptions } from './token-source.ts';
import { UpstreamError } from './upstream-error.ts';

export interface AuthorizerOptions extends Omit<TokenSourceOptions, 'login'> {
  readonly credentials: Credentials;
}

/** An Authorization header, and what it was made from, so that it can be given back when refused. */
export interface Authorization {
  readonly header: Secret;
  readonly grant?: Grant;
  readonly bearer?: Secret;
}

export interface Refusal {
  readonly challenge: string | undefined;
  /** What we need; a challenge's own scope is taken only when it asks no more than to pull. */
  readonly scope: string | undefined;
  readonly reach: Reach;
  /** What was sent and refused. */
  readonly sent: Authorization | undefined;
}

/** A challenge may spell a repository otherwise than its path, but may not talk us into asking for more than reading. */
const PULL_SCOPE = /^repository:[^\s:]+(?::[0-9]+[^\s:]*)?:pull$/;

const SPELLING_LIMIT = 1000;

type Learned =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly grantFor: (scope: string | undefined) => Grant };

/**
 * How one upstream wants to be asked, learned from its first challenge, so that later requests need none. Its headers
 * are for the upstream's own origin; that they go nowhere else is the session's duty.
 */
export class Authorizer {
  readonly #host: string;
  readonly #login: LoginReader;
  readonly #tokens: TokenSource;
  /** Repositories that the upstream's challenges spell otherwise than we do. */
  readonly #spelt = new Map<string, string>();
  #learned: Learned | undefined;

  constructor(options: AuthorizerOptions) {
    this.#host = options.upstream.host;
    const login = new LoginReader(options.credentials, this.#host, options.now);
    this.#login = login;
    this.#tokens = new TokenSource({ ...options, login: () => login.read() });
  }

  /** The header to send unasked; undefined until the upstream has asked for one. @throws UpstreamError */
  async authorization(scope: string | undefined): Promise<Authorization | undefined> {
    switch (this.#learned?.scheme) {
      case undefined:
        return undefined;
      case 'basic':
        return this.#basic();
      case 'bearer':
        return this.#bearerAsLearned(this.#learned.grantFor(scope));
    }
  }

  /**
   * The header that meets a 401, never the one that was refused.
   * @throws UpstreamError denied when there is nothing else to send; forbidden-target for a realm elsewhere; bad-answer
   */
  async answer({ challenge, scope, reach, sent }: Refusal): Promise<Authorization> {
    const asked = parseChallenge(challenge, this.#host);
    if (sent !== undefined) this.#login.forget();
    if (sent?.grant !== undefined && sent.bearer !== undefined) this.#tokens.refused(sent.grant, sent.bearer);
    if (asked.scheme === 'basic') {
      const basic = await this.#basic();
      if (sent?.header.equals(basic.header) === true) throw denied(this.#host);
      this.#learned = { scheme: 'basic' };
      return basic;
    }
    const { realm, service } = asked;
    this.#spell(scope, asked.scope);
    const grantFor = (wanted: string | undefined): Grant => ({ realm, service, scope: this.#spelling(wanted), reach });
    const authorization = await this.#bearer(grantFor(scope));
    // Only what worked: a challenge that nothing met would be an upstream that is never asked again.
    this.#learned = { scheme: 'bearer', grantFor };
    return authorization;
  }

  /** A token server that moved or closed is found out by the next challenge, not by a restart. */
  async #bearerAsLearned(grant: Grant): Promise<Authorization> {
    try {
      return await this.#bearer(grant);
    } catch (error) {
      this.#learned = undefined;
      throw error;
    }
  }

  #spell(ours: string | undefined, theirs: string | undefined): void {
    if (ours === undefined || theirs === undefined || theirs === ours || !PULL_SCOPE.test(theirs)) return;
    if (this.#spelt.size >= SPELLING_LIMIT) this.#spelt.clear();
    this.#spelt.set(ours, theirs);
  }

  #spelling(ours: string | undefined): string | undefined {
    return ours === undefined ? undefined : (this.#spelt.get(ours) ?? ours);
  }

  async #basic(): Promise<Authorization> {
    const login = await this.#login.read();
    // An identity token is for a token server; as a password it would be one more place that sees it.
    if (login.kind !== 'password') throw denied(this.#host);
    return { header: basicAuthorization(login) };
  }

  async #bearer(grant: Grant): Promise<Authorization> {
    const bearer = await this.#tokens.token(grant);
    return { header: new Secret(`Bearer ${bearer.reveal()}`), grant, bearer };
  }
}

function denied(host: string): UpstreamError {
  return new UpstreamError('denied', `expected ${host} to accept what we have, got status 401`, { status: 401 });
}
