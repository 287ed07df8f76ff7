import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type HelperAnswer, runCredentialHelper } from './credential-helper.ts';
import type { Login } from './credentials.ts';
import { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** Docker Hub's key in `config.json`, from before registries had hosts of their own; and the hosts it stands for. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

const CONFIG_LIMIT = 1024 * 1024;

/** The user name by which a credential helper says that the secret is an identity token. */
const TOKEN_USER = '<token>';

export interface DockerLoginQuestion {
  readonly folder: string | undefined;
  /** Host, with the port unless it is the scheme's own, as in the upstream's URL. */
  readonly host: string;
  readonly runHelper?: (name: string, server: string) => Promise<HelperAnswer | undefined>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * What `docker login` left for a host, in `config.json` or with a credential helper; a helper of the host first, then the
 * store of all hosts, then the file. Nothing there for the host is anonymous, as with docker.
 * @throws UpstreamError denied: the file or the helper is there and cannot be read
 */
export async function readDockerLogin(question: DockerLoginQuestion): Promise<Login> {
  const { folder, host, runHelper = runCredentialHelper } = question;
  const config = await readConfig(
    join(folder ?? process.env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json'),
  );
  if (config === undefined) return { kind: 'anonymous' };
  const keys = HUB_HOSTS.has(host) ? [HUB_KEY, host] : [host, `https://${host}`, `http://${host}`];
  const server = keys[0] ?? host;
  const helper = helperFor(config, keys);
  if (helper !== undefined) {
    const found = await runHelper(helper, server);
    if (found !== undefined) return fromHelper(found);
  }
  return fromFile(config, keys, host);
}

async function readConfig(path: string): Promise<Json | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new UpstreamError('denied', "expected to read docker's config.json, got an error", { cause });
  }
  const value = text.length <= CONFIG_LIMIT ? parseObject(text) : undefined;
  // Without the parser's message, which quotes the text: it may be a password.
  if (value === undefined)
    throw new UpstreamError('denied', "expected JSON in docker's config.json, got something else");
  return value;
}

function helperFor(config: Json, keys: readonly string[]): string | undefined {
  const helpers = objectAt(config, 'credHelpers');
  const named = keys.map((key) => helpers[key]).find((name) => name !== undefined) ?? config.credsStore;
  if (named === undefined || named === '') return undefined;
  if (typeof named !== 'string')
    throw new UpstreamError('denied', 'expected the name of a credential helper, got no text');
  return named;
}

function fromHelper({ username, secret }: HelperAnswer): Login {
  if (username === TOKEN_USER) return { kind: 'refresh-token', token: secret };
  return { kind: 'password', username, password: secret };
}

function fromFile(config: Json, keys: readonly string[], host: string): Login {
  const auths = objectAt(config, 'auths');
  const key = keys
    .flatMap((name) => [name, `${name}/`, `${name}/v1/`, `${name}/v2/`])
    .find((name) => auths[name] !== undefined);
  if (key === undefined) return { kind: 'anonymous' };
  const entry = objectAt(auths, key);
  if (typeof entry.identitytoken === 'string' && entry.identitytoken !== '') {
    return { kind: 'refresh-token', token: new Secret(entry.identitytoken) };
  }
  if (entry.auth === undefined || entry.auth === '') return { kind: 'anonymous' };
  // Docker pads old entries with NUL bytes.
  const text = typeof entry.auth === 'string' ? Buffer.from(entry.auth, 'base64').toString().replace(/\0+$/, '') : '';
  const colon = text.indexOf(':');
  if (colon < 1)
    throw new UpstreamError(
      'denied',
      `expected user:password in base64 for ${host} in config.json, got something else`,
    );
  return { kind: 'password', username: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) };
}

function objectAt(parent: Json, key: string): Json {
  const value = Object.hasOwn(parent, key) ? parent[key] : undefined;
  return isObject(value) ? value : {};
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Told by the caller, in words that do not quote the file.
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
