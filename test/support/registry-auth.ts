import type { MemoryAnswer } from '../../bin/demo/memory-registry.ts';

/** How the fake registry wants to be asked. */
export type FakeAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** Without them anyone gets a token. */
      readonly username?: string;
      readonly password?: string;
      readonly refreshToken?: string;
      /** Instead of the registry's own `/token`. */
      readonly realm?: string;
      readonly service?: string;
      /** Seconds, as told in the token answer. */
      readonly expiresIn?: number;
      /** The scope that challenges name, instead of the right one. */
      readonly scope?: (right: string) => string;
    };

export interface TokenQuestion {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

/** Checks Authorization headers, and is the token endpoint. Tokens are good until revoked. */
export class RegistryAuth {
  readonly #auth: FakeAuth;
  readonly #tokens = new Map<string, string>();
  readonly #url: string;
  #minted = 0;

  constructor(auth: FakeAuth, registryUrl: string) {
    this.#auth = auth;
    this.#url = registryUrl;
  }

  /** From now on every token given out so far is refused. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** The 401, or undefined when the request may pass. */
  challenge(repository: string | undefined, authorization: string | undefined): MemoryAnswer | undefined {
    const auth = this.#auth;
    if (auth.kind === 'basic') {
      return authorization === basic(auth.username, auth.password) ? undefined : unauthorized('Basic realm="fake"');
    }
    const right = repository === undefined ? '' : `repository:${repository}:pull`;
    const scope = auth.scope?.(right) ?? right;
    const given = authorization?.startsWith('Bearer ') ? this.#tokens.get(authorization.slice(7)) : undefined;
    if (given !== undefined && (scope === '' || given === scope)) return undefined;
    const said = scope === '' ? '' : `,scope="${scope}"`;
    return unauthorized(
      `Bearer realm="${auth.realm ?? `${this.#url}/token`}",service="${auth.service ?? 'fake'}"${said}`,
    );
  }

  /** The answer of `/token`. */
  token({ method, query, form, authorization }: TokenQuestion): MemoryAnswer {
    const auth = this.#auth;
    if (auth.kind !== 'bearer') return json(404, {});
    const { username, password, refreshToken, expiresIn } = auth;
    const refreshed = method === 'POST' && refreshToken !== undefined && form.get('refresh_token') === refreshToken;
    const known = username !== undefined && password !== undefined && authorization === basic(username, password);
    const open = username === undefined && refreshToken === undefined;
    if (!refreshed && !known && !open) return json(401, {});
    this.#minted += 1;
    const token = `secret-token-${this.#minted}`;
    this.#tokens.set(token, (method === 'POST' ? form : query).get('scope') ?? '');
    return json(200, { token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) });
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function unauthorized(challenge: string): MemoryAnswer {
  const answer = json(401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] });
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } };
}

function json(status: number, value: object): MemoryAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) };
}
