/**
 * A NotaryAuthority in front of a repository in memory, with a clock that stands still and a folder of its own:
 *
 *   const { repository, judge, clock } = await notaryClient(t);      // docker.io/acme/app, 1.0 signed by targets
 *   const finding = await judge('1.0');
 *   clock.advance(15 * DAY);
 *   const again = await reopen();                                    // a restart: same folder, nothing in memory
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import type { Finding } from '../../trust/authority.ts';
import { NotaryAuthority, type NotaryAuthorityOptions } from '../../trust/notary/authority.ts';
import { NotaryFetch } from './notary-fetch.ts';
import { NotaryRepository } from './notary-repository.ts';
import { RecordingLog } from './recording-log.ts';

export const GUN = 'docker.io/acme/app';
export const NOW = new Date('2026-06-01T12:00:00Z');
export const SECOND = 1_000;
export const DAY = 24 * 60 * 60 * SECOND;

/** Images that tests sign; only their digests and sizes matter. */
export const IMAGE = imageOf('one');
export const OTHER_IMAGE = imageOf('two');

export function imageOf(text: string) {
  const bytes = Buffer.from(text);
  return { digest: digestOf(bytes), size: bytes.byteLength };
}

export interface NotaryClient {
  readonly repository: NotaryRepository;
  readonly fetch: NotaryFetch;
  readonly log: RecordingLog;
  readonly folder: string;
  readonly clock: Clock;
  readonly authority: NotaryAuthority;
  /** What the authority says of a tag or a digest at the clock's time. */
  judge(reference: string, maxAge?: number): Promise<Finding>;
  /** Another authority over the same folder and server, with some options changed. */
  reopen(options?: Partial<NotaryAuthorityOptions>): Promise<NotaryClient>;
}

export class Clock {
  #now = NOW.getTime();

  now(): Date {
    return new Date(this.#now);
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** A published repository with tag 1.0. */
export function signedRepository(): NotaryRepository {
  const repository = new NotaryRepository({ gun: GUN, now: NOW });
  repository.sign('1.0', IMAGE);
  repository.publish(NOW);
  return repository;
}

/** Refreshes at every question unless told otherwise, so that a test sees what the server says now. */
export async function notaryClient(
  t: TestContext,
  repository = signedRepository(),
  options: Partial<NotaryAuthorityOptions> = {},
): Promise<NotaryClient> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-notary-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ground = { repository, folder: join(folder, 'state'), clock: new Clock(), fetch: new NotaryFetch(repository) };
  // The operator's pin is the first root key, and stays so when the publisher rotates it.
  return open(t, ground, { pin: { kind: 'rootKeys', ids: [repository.rootKeyId] }, ...options });
}

interface Ground extends Pick<NotaryClient, 'repository' | 'folder' | 'clock' | 'fetch'> {}

async function open(t: TestContext, ground: Ground, options: Partial<NotaryAuthorityOptions>): Promise<NotaryClient> {
  const { folder, clock, fetch } = ground;
  const log = new RecordingLog();
  const authority = new NotaryAuthority({
    name: 'dct',
    server: 'https://notary.example',
    gun: '{registry}/{repository}',
    pin: { kind: 'tofu' },
    requireReleases: false,
    signers: [],
    refresh: 0,
    folder,
    readOnly: false,
    fetch,
    log,
    now: () => clock.now(),
    schedule: () => () => undefined,
    ...options,
  });
  t.after(() => authority.close());
  const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/app') };
  return {
    ...ground,
    log,
    authority,
    judge: (reference, maxAge = 365 * DAY) =>
      authority.judge({ name, reference: parseReference(reference), now: clock.now(), maxAge }),
    reopen: (changed = {}) => open(t, ground, { ...options, ...changed }),
  };
}

/** `vouched`, or the reason of a refusal: what most tests compare. */
export function outcomeOf(finding: Finding): string {
  return finding.outcome === 'vouched' ? 'vouched' : finding.reason;
}
