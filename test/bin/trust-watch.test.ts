import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readStatusFile, writeStatusFile } from '../../bin/status-file.ts';
import { TrustWatch } from '../../bin/trust-watch.ts';
import type { AuthorityStatus, Expiry, TrustStatus } from '../../trust/status.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { SignedTargets } from '../support/signed-targets.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const DAY = 24 * 3_600_000;

class Authority extends SignedTargets {
  trust: TrustStatus[] = [];
  onRecall: () => Promise<void> = async () => undefined;

  override status(): AuthorityStatus {
    return { name: this.name, kind: 'notary', trust: this.trust };
  }

  recall(): Promise<void> {
    return this.onRecall();
  }
}

function trust(expiries: readonly Expiry[], more: Partial<TrustStatus> = {}): TrustStatus {
  return { of: 'corp/app', refreshedAt: NOW, failure: undefined, versions: { root: 1 }, expiries, ...more };
}

async function stage(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'docklock-watch-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const authority = new Authority('dct');
  const log = new RecordingLog();
  const clock = { now: NOW };
  const watch = new TrustWatch({
    authorities: [authority],
    settings: { warnBefore: 14 * DAY },
    data,
    log,
    now: () => clock.now,
  });
  t.after(() => watch.close());
  return { data, authority, log, clock, watch };
}

const soon: Expiry = { what: 'root', at: new Date(NOW.getTime() + 3 * DAY) };

test('what is about to expire is logged once a day for each thing, not at each look', async (t) => {
  const { authority, log, clock, watch } = await stage(t);
  authority.trust = [trust([soon, { what: 'targets', at: soon.at }, { what: 'snapshot', at: new Date('2030-01-01') }])];
  await watch.look();
  await watch.look();
  assert.deepEqual(
    log.at('warn').map(({ facts, text }) => [facts, text]),
    ['root', 'targets'].map((what) => [
      { event: 'expiring', authority: 'dct', of: 'corp/app', what, at: soon.at },
      `${what} of corp/app expires soon and must be renewed by whoever signs it`,
    ]),
  );
  clock.now = new Date(NOW.getTime() + DAY - 1);
  await watch.look();
  assert.equal(log.at('warn').length, 2);
  clock.now = new Date(NOW.getTime() + DAY);
  await watch.look();
  assert.equal(log.at('warn').length, 4);
});

test('that it has expired is logged at once, whenever the warning was', async (t) => {
  const { authority, log, clock, watch } = await stage(t);
  authority.trust = [trust([{ what: 'root', at: new Date(NOW.getTime() + 1) }])];
  await watch.look();
  clock.now = new Date(NOW.getTime() + 1);
  await watch.look();
  assert.deepEqual(
    log.at('warn').map(({ facts }) => 'event' in facts && facts.event),
    ['expiring', 'expired'],
  );
});

test('what was renewed and comes near its end again is news again', async (t) => {
  const { authority, log, watch } = await stage(t);
  for (const expiries of [[soon], [], [soon]]) {
    authority.trust = [trust(expiries)];
    await watch.look();
  }
  assert.equal(log.at('warn').length, 2);
});

test('thousands of things that expire together are fifty lines and a count', async (t) => {
  const { authority, log, watch } = await stage(t);
  authority.trust = Array.from({ length: 2000 }, (_, index) => trust([soon], { of: `corp/app${index}` }));
  await watch.look();
  await watch.look();
  assert.equal(log.at('warn').length, 51);
  assert.deepEqual(log.at('warn').at(-1)?.facts, { event: 'expiring', more: 1950 });
});

test('the status is written as it is, for its owner alone, and read again as it was', async (t) => {
  const { data, authority, watch } = await stage(t);
  authority.trust = [
    trust([soon, { ...soon, renewal: 'online', since: NOW }]),
    trust([{ what: 'root', at: new Date(Number.NaN) }], {
      refreshedAt: undefined,
      failure: { reason: 'TRUST_UNREACHABLE', message: 'connection refused', at: NOW },
    }),
  ];
  await watch.look();
  const read = await readStatusFile(data);
  assert.deepEqual(read.writtenAt, NOW);
  assert.deepEqual(read.authorities, [authority.status()]);
  assert.equal((await stat(join(data, 'status.json'))).mode & 0o077, 0);
  assert.deepEqual(await readdir(data), ['status.json']);
  assert.deepEqual(watch.troubles, [
    'dct: 1 refresh fails (TRUST_UNREACHABLE)',
    'dct: 1 expired',
    'dct: 1 to expire soon, the first on 2026-11-27',
  ]);
});

test('until the disk was read there is no status, rather than that of the last run', async (t) => {
  const { data, authority, watch } = await stage(t);
  await writeStatusFile(data, { writtenAt: NOW, authorities: [] });
  const disk = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  authority.onRecall = () => {
    begun.resolve();
    return disk.promise;
  };
  const started = watch.start();
  await begun.promise;
  assert.deepEqual(await readdir(data), []);
  disk.resolve();
  await started;
  assert.deepEqual(await readdir(data), ['status.json']);
});

test('a disk that cannot be read, and one that cannot be written, are logged and end nothing', async (t) => {
  const { data, authority, log, watch } = await stage(t);
  authority.onRecall = () => Promise.reject(new Error('EACCES'));
  await mkdir(join(data, 'status.json.new'));
  await watch.start();
  await watch.look();
  assert.deepEqual(
    log.at('warn').map(({ text }) => text),
    [
      'the status does not tell of what is on disk',
      'the status could not be written: docklock status reads the trust on disk instead',
    ],
  );
});

test('an authority that throws after all does not end the gateway', async (t) => {
  const { authority, log, watch } = await stage(t);
  authority.status = () => {
    throw new Error('a bug');
  };
  await watch.look();
  assert.equal(log.at('error').length, 1);
});

test('nothing is written after close', async (t) => {
  const { data, watch } = await stage(t);
  await watch.close();
  await watch.look();
  assert.deepEqual(await readdir(data), []);
});

const STATUS = { format: 1, writtenAt: NOW.toISOString(), authorities: [] };
const body = (more: object) => ({ of: 'x', versions: {}, expiries: [], ...more });
const authorityOf = (one: object) => ({ ...STATUS, authorities: [{ name: 'dct', kind: 'notary', trust: [one] }] });

const unreadable: readonly (readonly [what: string, text: string])[] = [
  ['no JSON', 'hello'],
  ['a cut file', JSON.stringify(STATUS).slice(0, -5)],
  ['no object', '[]'],
  ['another format', JSON.stringify({ ...STATUS, format: 2 })],
  ['no list', JSON.stringify({ ...STATUS, authorities: {} })],
  ['an authority without a name', JSON.stringify({ ...STATUS, authorities: [{ kind: 'notary', trust: [] }] })],
  [
    'a reason that is none',
    JSON.stringify(authorityOf(body({ failure: { reason: 'toString', message: '', at: '' } }))),
  ],
  ['versions that are none', JSON.stringify(authorityOf(body({ versions: 1 })))],
];

for (const [what, text] of unreadable) {
  test(`a status file that is ${what} is refused whole`, async (t) => {
    const { data } = await stage(t);
    await writeFile(join(data, 'status.json'), text);
    await assert.rejects(readStatusFile(data), (error) => error instanceof Error);
  });
}
