import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { BoundedBody, readWhole } from '../../upstream/bounded-body.ts';
import { DEFAULT_LIMITS } from '../../upstream/limits.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';
import { FakePace, failing } from './support/clients.ts';

function plan(pace = new FakePace()) {
  return { host: 'registry.example', limits: DEFAULT_LIMITS, pace, explain: (cause: unknown) => cause as Error };
}

test('a reader that takes its time is not blamed on the upstream, a silent upstream is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const source = new PassThrough();
  const body = new BoundedBody(source, plan());
  source.write('more than nothing');
  t.mock.timers.tick(DEFAULT_LIMITS.idle * 10);
  assert.equal(body.destroyed, false);
  const [chunk] = await once(body, 'data');
  assert.equal(String(chunk), 'more than nothing');
  const failed = once(body, 'error');
  t.mock.timers.tick(DEFAULT_LIMITS.idle + 1);
  const [error] = await failed;
  assert.ok(error instanceof UpstreamError);
  assert.equal(error.failure, 'timed-out');
});

test('time that the reader took is not counted as a slow upstream', async () => {
  const pace = new FakePace();
  const source = new PassThrough();
  const body = new BoundedBody(source, plan(pace));
  let seen = 0;
  source.write('x');
  body.on('readable', () => {
    while (body.read() !== null) seen += 1;
    if (seen < 5) {
      body.pause();
      setImmediate(() => source.write('x'));
    } else source.end();
  });
  await once(body, 'end');
  assert.equal(seen, 5);
});

test('a whole body must come within its time, however it comes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const source = new PassThrough();
  const outcome = failing(readWhole(source, undefined, 1000, plan()), 'timed-out');
  source.write('part');
  for (let spent = 0; spent <= DEFAULT_LIMITS.document; spent += DEFAULT_LIMITS.idle / 2) {
    source.write('.');
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(DEFAULT_LIMITS.idle / 2);
  }
  const error = await outcome;
  assert.match(error.message, /whole body/);
});

test('a source that failed before anyone read it fails its reader', async () => {
  const source = new PassThrough();
  source.on('error', () => undefined);
  source.destroy(new UpstreamError('unreachable', 'reset'));
  await new Promise<void>((resolve) => source.once('close', resolve));
  await failing(readWhole(source, undefined, 1000, plan()), 'unreachable');
});
