import { readDockerLogin } from './docker-config.ts';
import { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** What an upstream is to be asked with. Secrets are read when needed, never kept in the configuration. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: () => Promise<string> }
  /** `folder` holds `config.json`; otherwise DOCKER_CONFIG, otherwise `~/.docker`. */
  | { readonly kind: 'docker-config'; readonly folder?: string };

/** What they come to for one host. */
export type Login =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  /** An OAuth2 refresh token, which `config.json` calls identity token. */
  | { readonly kind: 'refresh-token'; readonly token: Secret };

/** Cloud helpers hand out passwords that live for hours, and take seconds to run. */
const LOGIN_MAX_AGE_MS = 5 * 60_000;

/** The login for one host: read once for all who ask at the same time, again after five minutes or when it was refused. */
export class LoginReader {
  readonly #credentials: Credentials;
  readonly #host: string;
  readonly #now: () => Date;
  #kept: { readonly login: Promise<Login>; readonly at: number } | undefined;

  constructor(credentials: Credentials, host: string, now: () => Date) {
    this.#credentials = credentials;
    this.#host = host;
    this.#now = now;
  }

  /** @throws UpstreamError denied, when the credentials cannot be read: never silently anonymous instead. */
  read(): Promise<Login> {
    const at = this.#now().getTime();
    if (this.#kept !== undefined && at - this.#kept.at < LOGIN_MAX_AGE_MS) return this.#kept.login;
    const login = readLogin(this.#credentials, this.#host);
    const kept = { login, at };
    this.#kept = kept;
    login.catch(() => {
      if (this.#kept === kept) this.#kept = undefined;
    });
    return login;
  }

  /** After the upstream refused it: a file or a helper may have a newer one. */
  forget(): void {
    this.#kept = undefined;
  }
}

async function readLogin(credentials: Credentials, host: string): Promise<Login> {
  switch (credentials.kind) {
    case 'anonymous':
      return { kind: 'anonymous' };
    case 'docker-config':
      return readDockerLogin({ folder: credentials.folder, host });
    case 'basic':
      return {
        kind: 'password',
        username: credentials.username,
        password: await readPassword(credentials.password, host),
      };
  }
}

async function readPassword(password: () => Promise<string>, host: string): Promise<Secret> {
  try {
    return new Secret(await password());
  } catch (cause) {
    throw new UpstreamError('denied', `expected a password for ${host}, got none: it could not be read`, { cause });
  }
}

/** RFC 7617. */
export function basicAuthorization(login: { readonly username: string; readonly password: Secret }): Secret {
  return new Secret(`Basic ${Buffer.from(`${login.username}:${login.password.reveal()}`).toString('base64')}`);
}
