import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import type { Pace } from '../../../upstream/pace.ts';
import { RegistryClient, type RegistryClientOptions } from '../../../upstream/registry-client.ts';
import { UpstreamError, type UpstreamFailure } from '../../../upstream/upstream-error.ts';
import { RecordingLog } from '../../support/recording-log.ts';

export const APP = parseRepositoryName('library/app');
export const V1 = parseReference('v1');

/** A clock that only moves when someone waits on it, or when a test moves it. */
export class FakePace implements Pace {
  readonly waits: number[] = [];
  #at = Date.parse('2026-11-24T12:00:00Z');

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.waits.push(ms);
    this.#at += ms;
  }

  elapsed(): number {
    return this.#at;
  }

  random(): number {
    return 0.5;
  }

  readonly now = (): Date => new Date(this.#at);

  pass(ms: number): void {
    this.#at += ms;
  }
}

export interface TestClient {
  readonly client: RegistryClient;
  readonly log: RecordingLog;
  readonly pace: FakePace;
}

/** A client of a fake registry, closed after the test. Its time limits are long unless the test shortens them. */
export function clientOf(t: TestContext, url: string, options: Partial<RegistryClientOptions> = {}): TestClient {
  const log = new RecordingLog();
  const pace = new FakePace();
  const client = new RegistryClient({
    name: parseUpstreamName('corp'),
    url,
    credentials: { kind: 'anonymous' },
    log,
    now: pace.now,
    pace,
    ...options,
  });
  t.after(() => client.close());
  return { client, log, pace };
}

/** The UpstreamError of a failing call, after checking its kind. */
export async function failing(work: Promise<unknown>, failure: UpstreamFailure): Promise<UpstreamError> {
  const error = await work.then(
    () => assert.fail(`expected ${failure}, got success`),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof UpstreamError, `expected an UpstreamError, got ${String(error)}`);
  assert.equal(error.failure, failure, error.message);
  return error;
}

/** All of a stream. */
export async function bytesOf(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  assert.ok(stream !== undefined, 'there is a stream');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
