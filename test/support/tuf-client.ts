/**
 * A TufAuthority in front of a repository in memory, with a clock that stands still and a folder of its own:
 *
 *   const { repository, judge, clock } = await tufClient(t);         // docker.io/acme/app:1.0 is a target
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
import { type MetadataAnswer, type MetadataFetch, MetadataTooLarge } from '../../trust/fetch-metadata.ts';
import { TufAuthority, type TufAuthorityOptions } from '../../trust/tuf/authority.ts';
import { httpSource } from '../../trust/tuf/http-source.ts';
import { RecordingLog } from './recording-log.ts';
import { TufRepository } from './tuf-repository.ts';

/** tuf-js looks at the system's clock, so the clock of these tests begins there. */
export const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);
export const SECOND = 1_000;
export const HOUR = 60 * 60 * SECOND;
export const DAY = 24 * HOUR;

/** Images that tests sign; only their digests and sizes matter. */
export const IMAGE = imageOf('one');
export const OTHER_IMAGE = imageOf('two');

export const APP = 'docker.io/acme/app';
export const TARGET = `${APP}:1.0`;

export function imageOf(text: string) {
  const bytes = Buffer.from(text);
  return { digest: digestOf(bytes), size: bytes.byteLength };
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

/** What an authority needs of the network, answered from memory. */
export class TufFetch implements MetadataFetch {
  /** Names of files, in order. */
  readonly requests: string[] = [];
  fault: Error | undefined;
  held: Promise<unknown> | undefined;
  /** Asked first: may answer in place of the repository, or throw. */
  answer: ((name: string) => MetadataAnswer | undefined) | undefined;
  readonly #repository: TufRepository;

  constructor(repository: TufRepository) {
    this.#repository = repository;
  }

  async get(url: string, limit: number): Promise<MetadataAnswer> {
    const name = url.slice(BASE.length);
    this.requests.push(name);
    await this.held;
    if (this.fault !== undefined) throw this.fault;
    const answer = this.answer?.(name);
    if (answer !== undefined) return answer;
    const bytes = this.#repository.files.get(name);
    if (bytes === undefined) return { kind: 'missing' };
    if (bytes.byteLength > limit) throw new MetadataTooLarge(`expected at most ${limit} bytes, got more`);
    return { kind: 'found', bytes };
  }
}

const BASE = 'https://tuf.example/metadata/';

export interface TufClient {
  readonly repository: TufRepository;
  readonly fetch: TufFetch;
  readonly log: RecordingLog;
  /** Has the state in `trust/org` and the versions in `floors/org`. */
  readonly home: string;
  readonly clock: Clock;
  readonly authority: TufAuthority;
  /** What the authority says of a tag or a digest of docker.io/acme/app, or of another name, at the clock's time. */
  judge(reference: string, options?: { maxAge?: number; repository?: string }): Promise<Finding>;
  /** Another authority over the same folder and server, with some options changed. */
  reopen(options?: Partial<TufAuthorityOptions>): Promise<TufClient>;
}

/** A published repository with docker.io/acme/app:1.0. */
export function signedRepository(options: { consistent?: boolean; hashes?: boolean } = {}): TufRepository {
  const repository = new TufRepository({ now: NOW, ...options });
  repository.sign(TARGET, IMAGE);
  repository.publish();
  return repository;
}

/** Refreshes at every question unless told otherwise, so that a test sees what the server says now. */
export async function tufClient(
  t: TestContext,
  repository = signedRepository(),
  options: Partial<TufAuthorityOptions> = {},
): Promise<TufClient> {
  const home = await mkdtemp(join(tmpdir(), 'docklock-tuf-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const ground = { repository, home, clock: new Clock(), fetch: new TufFetch(repository) };
  return open(t, ground, { root: repository.root(), ...options });
}

async function open(
  t: TestContext,
  ground: Pick<TufClient, 'repository' | 'home' | 'clock' | 'fetch'>,
  options: Partial<TufAuthorityOptions> & Pick<TufAuthorityOptions, 'root'>,
): Promise<TufClient> {
  const { clock, home, fetch } = ground;
  const log = new RecordingLog();
  const authority = new TufAuthority({
    name: 'org',
    source: httpSource(BASE, fetch),
    target: '{registry}/{repository}:{tag}',
    roles: [],
    refresh: 0,
    folder: join(home, 'trust', 'org'),
    floors: join(home, 'floors', 'org'),
    readOnly: false,
    log,
    now: () => clock.now(),
    schedule: () => () => undefined,
    ...options,
  });
  t.after(() => authority.close());
  const upstream = parseUpstreamName('docker.io');
  return {
    ...ground,
    log,
    authority,
    judge: (reference, { maxAge = 365 * DAY, repository = 'acme/app' } = {}) =>
      authority.judge({
        name: { upstream, repository: parseRepositoryName(repository) },
        reference: parseReference(reference),
        now: clock.now(),
        maxAge,
      }),
    reopen: async (changed = {}) => {
      await authority.close();
      return open(t, ground, { ...options, ...changed });
    },
  };
}

/** A finding in one word for tables: `vouched`, or the reason. */
export function outcomeOf(finding: Finding): string {
  return finding.outcome === 'vouched' ? 'vouched' : finding.reason;
}
