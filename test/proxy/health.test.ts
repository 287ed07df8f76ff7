import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import type { FolderCondition } from '../../cache/data-folder.ts';
import { Health } from '../../proxy/health.ts';
import { RecordingLog } from '../support/recording-log.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

function stage() {
  const state = { condition: 'writable' as FolderCondition, troubles: [] as string[], now: NOW, broken: false };
  const log = new RecordingLog();
  const health = new Health({
    storage: async () => {
      if (state.broken) throw new Error('secret path');
      return state.condition;
    },
    troubles: () => state.troubles,
    log,
    now: () => new Date(state.now),
  });
  const app = health.before((_, response) => response.writeHead(418).end('the gateway'));
  return { state, health, app, log };
}

type Stage = ReturnType<typeof stage>;

const answers: readonly (readonly [when: string, act: (stage: Stage) => void, status: number, body: object])[] = [
  ['it starts', () => undefined, 503, { status: 'starting', warnings: [] }],
  ['it is ready', ({ health }) => health.ready(), 200, { status: 'ready', warnings: [] }],
  [
    'it drains',
    ({ health }) => {
      health.ready();
      health.drain();
    },
    503,
    { status: 'draining', warnings: [] },
  ],
  [
    'the data folder cannot be written',
    ({ health, state }) => {
      health.ready();
      state.condition = 'unwritable';
    },
    503,
    { status: 'storage-unwritable', warnings: [] },
  ],
  [
    'the disk is full: others fill up at the same time, and pulls go on',
    ({ health, state }) => {
      health.ready();
      state.condition = 'full';
    },
    200,
    { status: 'ready', warnings: ['the disk of the data folder is full'] },
  ],
  [
    'an authority is in trouble: no reason for all gateways to leave at once',
    ({ health, state }) => {
      health.ready();
      state.troubles = ['dct: 1 refresh fails (TRUST_UNREACHABLE)'];
    },
    200,
    { status: 'ready', warnings: ['dct: 1 refresh fails (TRUST_UNREACHABLE)'] },
  ],
  [
    'an unexpected error comes between, which is not told',
    ({ health, state }) => {
      health.ready();
      state.broken = true;
    },
    503,
    { status: 'unknown' },
  ],
];

for (const [when, act, status, body] of answers) {
  test(`/readyz when ${when}: ${status}`, async () => {
    const staged = stage();
    act(staged);
    const got = await request(staged.app).get('/readyz').expect(status);
    assert.deepEqual(got.body, body);
    assert.equal(got.headers['cache-control'], 'no-store');
    assert.match(got.headers['content-type'] ?? '', /^application\/json/);
    const head = await request(staged.app).head('/readyz').expect(status);
    assert.deepEqual([head.text, head.headers['content-length']], [undefined, got.headers['content-length']]);
    const lives = await request(staged.app).get('/healthz').expect(200);
    assert.deepEqual(lives.body, { status: 'alive' }, 'which no restart would mend');
  });
}

test('a query changes nothing, and another path is the gateway’s', async () => {
  const { app, health } = stage();
  health.ready();
  await request(app).get('/readyz?verbose').expect(200);
  for (const path of ['/', '/readyz/', '/healthz/x', '/v2/readyz/', '/v2/']) await request(app).get(path).expect(418);
});

test('a write is not allowed, and its body not waited for', async () => {
  const { app } = stage();
  for (const path of ['/healthz', '/readyz']) {
    const { headers } = await request(app).post(path).send('x'.repeat(1000)).expect(405);
    assert.deepEqual([headers.allow, headers.connection], ['GET, HEAD', 'close']);
  }
});

test('a balancer is there when /readyz was asked in the last five minutes; /healthz is asked by supervisors', async () => {
  const { app, health, state } = stage();
  await request(app).get('/healthz');
  assert.equal(health.isWatched, false);
  await request(app).get('/readyz');
  state.now += 5 * 60_000 - 1;
  assert.equal(health.isWatched, true);
  state.now += 1;
  assert.equal(health.isWatched, false);
});
