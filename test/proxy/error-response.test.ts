import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { parseUpstreamName } from '../../oci/reference.ts';
import { RegistryError } from '../../oci/registry-error.ts';
import { gatewayApp } from '../../proxy/app.ts';
import { DeniedError } from '../../proxy/denial.ts';
import { answerFor, reasonPhrase } from '../../proxy/error-response.ts';
import type { Stories } from '../../proxy/routes.ts';
import { refused, undetermined } from '../../trust/verdict.ts';
import { UpstreamError, type UpstreamFailure } from '../../upstream/upstream-error.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { errorIn, told } from '../support/told.ts';

test('a refusal is a 403 with image, reason, advice, and what it rests on', () => {
  const evidence = [{ ok: false, text: 'looked' }];
  const verdict = refused('NOT_SIGNED', 'there is no trust data', { rule: 'policy[1]', authority: 'dct', evidence });
  const image = 'corp/app:1';
  const { detail, ...answer } = answerFor(new DeniedError(image, verdict));
  assert.deepEqual(answer, {
    status: 403,
    code: 'DENIED',
    message:
      'DockLock refused corp/app:1: there is no trust data [NOT_SIGNED]. Ask the publisher to sign it, or pull a signed image',
  });
  assert.deepEqual(detail, { reason: 'NOT_SIGNED', image, rule: 'policy[1]', authority: 'dct', evidence });
});

test('what could not be found out is a 503 that says so, and when to ask again in whole seconds', () => {
  const verdict = undetermined('TRUST_UNREACHABLE', 'no answer', { retryAfter: 6.1 });
  const answer = answerFor(new DeniedError('corp/app:1', verdict));
  assert.deepEqual([answer.status, answer.code, answer.headers], [503, 'UNAVAILABLE', { 'Retry-After': '7' }]);
  assert.match(answer.message, /^DockLock could not verify corp\/app:1: no answer \[TRUST_UNREACHABLE\]/);
});

for (const [failure, status, code] of [
  ['unreachable', 502, 'UNAVAILABLE'],
  ['timed-out', 504, 'UNAVAILABLE'],
  ['rate-limited', 429, 'TOOMANYREQUESTS'],
  ['server-error', 502, 'UNAVAILABLE'],
  ['denied', 502, 'UNAVAILABLE'],
  ['bad-answer', 502, 'UNAVAILABLE'],
  ['forbidden-target', 502, 'UNAVAILABLE'],
] satisfies [UpstreamFailure, number, string][]) {
  test(`an upstream that is ${failure} is answered ${status}`, () => {
    const answer = answerFor(new UpstreamError(failure, 'it failed', { status: 404, retryAfter: 8.2 }));
    assert.deepEqual([answer.status, answer.code], [status, code]);
    assert.deepEqual(answer.headers, status === 429 ? { 'Retry-After': '9' } : undefined);
    assert.equal(answer.message, 'the upstream registry could not serve this: it failed');
  });
}

test('a rate limit that names no time is told with one of ours', () => {
  assert.deepEqual(answerFor(new UpstreamError('rate-limited', 'slow down')).headers, { 'Retry-After': '30' });
});

test('a bug is a 500 that tells nothing', () => {
  for (const bug of [new TypeError('at /secret/place'), 'secret', undefined, { status: 200, message: 'secret' }]) {
    const answer = answerFor(bug);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(JSON.stringify(answer), /secret/);
  }
  const error = new RegistryError('RANGE_INVALID', 'no such range');
  assert.deepEqual(answerFor(error), { status: 416, code: 'RANGE_INVALID', message: 'no such range' });
});

test('a bug is logged whole, and nothing else is logged as one', async () => {
  const log = new RecordingLog();
  const answers = [new RegistryError('MANIFEST_UNKNOWN', 'gone'), new TypeError('a bug at /secret/place')];
  const manifests = { pull: () => Promise.reject(answers.shift()) };
  const addresses = { upstreams: [], defaultUpstream: parseUpstreamName('corp'), hosts: new Map() };
  const material = { manifest: async () => undefined };
  const app = gatewayApp({ addresses, manifests, material } as unknown as Stories, log, 'registry').callback();
  await request(app).get('/v2/app/manifests/1').expect(404);
  assert.equal(log.at('error').length, 0);
  const answer = await request(app).get('/v2/app/manifests/1').expect(500);
  assert.equal(told(answer), '500 UNKNOWN');
  const [line, ...more] = log.at('error');
  assert.deepEqual([Object.keys(line?.facts ?? {}), more.length], [['err', 'path'], 0]);
});

test('the reason phrase is the message in one line of printable ASCII, never empty, never too long', () => {
  assert.equal(reasonPhrase(' a\r\nSet-Cookie: b\u001b[2J é '), 'a Set-Cookie: b [2J');
  assert.equal(reasonPhrase('\r\n'), 'refused');
  assert.equal(reasonPhrase('x'.repeat(1000)).length, 400);
});

test('a denial is a JSON body, a reason phrase, and a Retry-After; HEAD has all but the body', async (t) => {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  gateway.signed.unreachable = true;
  const answer = await receive(`${gateway.url}/v2/corp/app/manifests/1`);
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(answer.headers['retry-after'], '10');
  assert.equal(answer.phrase, errorIn(answer).message);
  const head = await request(gateway.url).head('/v2/corp/app/manifests/1').expect(503);
  assert.equal(head.headers['retry-after'], '10');
});
