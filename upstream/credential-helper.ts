import { spawn } from 'node:child_process';
import { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

export interface HelperAnswer {
  readonly username: string;
  readonly secret: Secret;
}

export interface HelperLimits {
  /** Milliseconds. A cloud's helper asks the cloud first. */
  readonly time: number;
  /** Bytes of its answer. */
  readonly output: number;
}

const DEFAULT_LIMITS: HelperLimits = { time: 30_000, output: 64 * 1024 };

/** No separators: the name comes from a file, and must not become a path to any program. */
const HELPER_NAME = /^[a-z0-9-]+$/;

/** What every helper prints for a server it does not know (docker-credential-helpers, `ErrCredentialsNotFound`). */
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-<name>` on the PATH for a server's credentials, without a shell; undefined when it has none.
 * @throws UpstreamError denied: not there, failed, too slow, too much or not what a helper answers; never with its output
 */
export async function runCredentialHelper(
  name: string,
  server: string,
  limits: HelperLimits = DEFAULT_LIMITS,
): Promise<HelperAnswer | undefined> {
  if (!HELPER_NAME.test(name)) throw failed('a name of letters, digits and "-"', JSON.stringify(name.slice(0, 80)));
  const program = `docker-credential-${name}`;
  const { code, output } = await run(program, server, limits);
  if (code !== 0) {
    if (output.trim() === NOT_FOUND) return undefined;
    throw failed(`${program} to succeed`, `exit code ${code ?? 'none'}`);
  }
  return parseAnswer(output, program);
}

function run(program: string, server: string, limits: HelperLimits): Promise<{ code: number | null; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; output: string }>();
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], shell: false });
  const chunks: Buffer[] = [];
  let size = 0;
  const giveUp = (error: UpstreamError) => {
    reject(error);
    child.stdout.destroy();
    child.kill('SIGKILL');
  };
  const late = setTimeout(() => giveUp(failed(`${program} within ${limits.time} ms`, 'no answer')), limits.time);
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > limits.output) giveUp(failed(`at most ${limits.output} bytes of ${program}`, 'more'));
    else chunks.push(chunk);
  });
  child.once('error', (cause) => {
    clearTimeout(late);
    reject(failed(`to run ${program}`, 'code' in cause ? String(cause.code) : 'an error'));
  });
  child.once('close', (code) => {
    clearTimeout(late);
    resolve({ code, output: Buffer.concat(chunks).toString() });
  });
  // A helper that answers without reading its input closes the pipe: no error of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(server);
  return promise;
}

function parseAnswer(output: string, program: string): HelperAnswer {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    // Not told further: the parser's message would quote the secret.
    value = undefined;
  }
  const { Username, Secret: secret } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (typeof Username !== 'string' || typeof secret !== 'string') {
    throw failed(`Username and Secret in JSON of ${program}`, 'something else');
  }
  return { username: Username, secret: new Secret(secret) };
}

function failed(expected: string, got: string): UpstreamError {
  return new UpstreamError('denied', `expected ${expected}, got ${got}`);
}
