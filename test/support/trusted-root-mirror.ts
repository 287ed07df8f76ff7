/**
 * A TUF repository on loopback with a trusted root in it, and the DockLock that keeps it fresh:
 *
 *   const mirror = await TrustedRootMirror.start(t);
 *   mirror.publish(publisher.trustedRoot());
 *   const client = await rootClient(t, mirror);
 *   const { root } = await client.current();
 *   mirror.answer = () => 503;                     // it cannot be asked any more
 *   const again = await client.reopen();           // a restart: same folder, nothing in memory
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fetchThrough } from '../../bin/metadata-fetch.ts';
import type { CurrentRoot } from '../../trust/sigstore/trusted-root-source.ts';
import { TufTrustedRoot, type TufTrustedRootOptions } from '../../trust/sigstore/tuf-trusted-root.ts';
import { MetadataClient } from '../../upstream/metadata-client.ts';
import { REAL_PACE } from '../../upstream/pace.ts';
import { RecordingLog } from './recording-log.ts';
import { Clock, DAY, NOW } from './tuf-client.ts';
import { TufRepository } from './tuf-repository.ts';

export const TARGET = 'trusted_root.json';
export const MAX_AGE = 90 * DAY;

export class TrustedRootMirror {
  readonly repository: TufRepository;
  url = '';
  requests: string[] = [];
  /** An earlier publication, for who wants to go back to it. */
  before: ReadonlyMap<string, Buffer> | undefined;
  /** Asked first: may answer in place of the repository. */
  answer: (name: string) => Buffer | number | undefined = () => undefined;

  constructor(consistent = true) {
    this.repository = new TufRepository({ now: NOW, consistent });
  }

  static async start(t: TestContext, { consistent = true } = {}): Promise<TrustedRootMirror> {
    const mirror = new TrustedRootMirror(consistent);
    Object.assign(mirror, await mirror.repository.serve(t, (name) => mirror.answer(name)));
    return mirror;
  }

  publish(bytes: Buffer, target = TARGET): void {
    this.repository.putFile(target, bytes);
    this.repository.publish();
  }

  /** Where the file of the target lies now. */
  get file(): string {
    const { sha256 } = this.repository.part('targets').targets[TARGET].hashes;
    return `targets/${sha256}.${TARGET}`;
  }
}

export interface RootClient {
  readonly source: TufTrustedRoot;
  readonly clock: Clock;
  readonly log: RecordingLog;
  readonly home: string;
  current(maxAge?: number): Promise<CurrentRoot>;
  /** The version of the trusted root in use, or the reason why there is none. */
  version(maxAge?: number): Promise<string>;
  /** Another one over the same folder, with some options changed. */
  reopen(options?: Partial<TufTrustedRootOptions>): Promise<RootClient>;
}

export async function rootClient(
  t: TestContext,
  mirror: TrustedRootMirror,
  options: Partial<TufTrustedRootOptions> = {},
): Promise<RootClient> {
  const home = await mkdtemp(join(tmpdir(), 'docklock-root-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  return open(t, mirror, { home, clock: new Clock() }, { pin: mirror.repository.root(), ...options });
}

function open(
  t: TestContext,
  mirror: TrustedRootMirror,
  ground: Pick<RootClient, 'home' | 'clock'>,
  options: Partial<TufTrustedRootOptions> & Pick<TufTrustedRootOptions, 'pin'>,
): RootClient {
  const { home, clock } = ground;
  const log = new RecordingLog();
  const now = () => clock.now();
  const pace = { ...REAL_PACE, wait: async () => undefined };
  const client = new MetadataClient({ url: mirror.url, credentials: { kind: 'anonymous' }, log, now, pace });
  const source = new TufTrustedRoot({
    name: 'test',
    mirror: mirror.url,
    fetch: fetchThrough(client),
    target: TARGET,
    folder: join(home, 'trust'),
    floors: join(home, 'floors', 'root'),
    readOnly: false,
    log,
    now,
    schedule: () => () => undefined,
    ...options,
  });
  t.after(async () => {
    await source.close();
    client.close();
  });
  const current = (maxAge = MAX_AGE) => source.current(now(), maxAge);
  return {
    ...ground,
    source,
    log,
    current,
    version: (maxAge) =>
      current(maxAge).then(
        ({ root }) => root.version,
        (error) => error.reason ?? String(error),
      ),
    reopen: async (changed = {}) => {
      await source.close();
      return open(t, mirror, ground, { ...options, ...changed });
    },
  };
}
