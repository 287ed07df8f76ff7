/** retagger PR#1239: a throttled look-up of signatures was taken for "there are none", and the image for unsigned. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { hexOf } from '../../oci/digest.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { receive, type Received, TestGateway } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { told } from '../support/told.ts';

const app = image();
const signature = image({ subject: app, artifactType: 'application/vnd.example.signature', layers: ['a signature'] });
const FALLBACK = `sha256-${hexOf(app.digest)}`;
const PATH = `/v2/corp/app/referrers/${app.digest}`;
const ABSENT: Fault = { status: 404, body: '{}' };

async function start(t: TestContext) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, limits: { firstByte: 50 } });
  registry.push('app', app, '1');
  registry.push('app', signature);
  gateway.signed.sign('corp/app', '1', app.digest);
  const list = (query = '') => receive(`${gateway.url}${PATH}${query}`);
  return { registry, gateway, list };
}

function digestsIn({ body }: Received): string[] {
  return JSON.parse(body.toString()).manifests.map(({ digest }: { digest: string }) => digest);
}

test('the list of the referrers API is passed on, filtered where it is asked for', async (t) => {
  const { registry, list } = await start(t);
  const answer = await list();
  assert.deepEqual([answer.status, digestsIn(answer)], [200, [signature.digest]]);
  assert.equal(answer.headers['content-type'], 'application/vnd.oci.image.index.v1+json');
  assert.equal(answer.headers['oci-filters-applied'], undefined);
  const right = await list('?artifactType=application/vnd.example.signature');
  assert.deepEqual([right.headers['oci-filters-applied'], digestsIn(right)], ['artifactType', [signature.digest]]);
  assert.deepEqual(digestsIn(await list('?artifactType=application/other')), []);
  assert.equal(registry.count('manifest'), 0, 'the fallback tag is not asked for');
});

test('without the referrers API the fallback tag is the list; without that too, there are none', async (t) => {
  const { registry, list } = await start(t);
  registry.spoil({ kind: 'referrers' }, ABSENT);
  const none = await list();
  assert.deepEqual([none.status, digestsIn(none)], [200, []]);
  registry.push('app', index([signature]), FALLBACK);
  const found = await list();
  assert.deepEqual([found.status, digestsIn(found)], [200, [signature.digest]]);
});

const TROUBLE = [
  ['throttled', { status: 429, headers: { 'retry-after': '7' } }, '429 TOOMANYREQUESTS UPSTREAM_RATE_LIMITED'],
  ['failing', { status: 500 }, '502 UNAVAILABLE UPSTREAM_SERVER_ERROR'],
  ['out', { status: 503 }, '502 UNAVAILABLE UPSTREAM_SERVER_ERROR'],
  ['cut off', { reset: true }, '502 UNAVAILABLE UPSTREAM_UNREACHABLE'],
  ['silent', { hangUntil: new Promise(() => undefined) }, '504 UNAVAILABLE UPSTREAM_TIMED_OUT'],
  ['closed to us', { status: 403 }, '502 UNAVAILABLE UPSTREAM_DENIED'],
  ['no JSON', { body: '<html>' }, '502 UNAVAILABLE UPSTREAM_BAD_ANSWER'],
  ['no index', { body: '{"manifests":{}}' }, '502 UNAVAILABLE UPSTREAM_BAD_ANSWER'],
  ['null', { body: 'null' }, '502 UNAVAILABLE UPSTREAM_BAD_ANSWER'],
  ['no UTF-8', { body: Buffer.from('{"manifests":["\xff"]}', 'latin1') }, '502 UNAVAILABLE UPSTREAM_BAD_ANSWER'],
  [
    'another kind of document',
    { headers: { 'content-type': 'application/json' } },
    '502 UNAVAILABLE UPSTREAM_BAD_ANSWER',
  ],
  [
    'nested without end',
    { body: `{"manifests":[{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}` },
    '502 UNAVAILABLE UPSTREAM_BAD_ANSWER',
  ],
] satisfies [string, Fault, string][];

for (const [what, fault, expected] of TROUBLE) {
  test(`a referrers API that is ${what} is not an empty list: ${expected}`, async (t) => {
    const { registry, list } = await start(t);
    registry.push('app', index([signature]), FALLBACK);
    registry.spoil({ kind: 'referrers' }, fault);
    const answer = await list();
    assert.equal(told(answer), expected);
    assert.equal(answer.headers['retry-after'], answer.status === 429 ? '7' : undefined);
    assert.equal(registry.count('manifest'), 0, 'and no reason to ask for the fallback tag');
  });

  test(`without the referrers API, a fallback tag that is ${what} is not an empty list: ${expected}`, async (t) => {
    const { registry, list } = await start(t);
    registry.push('app', index([signature]), FALLBACK);
    registry.spoil({ kind: 'referrers' }, ABSENT);
    registry.spoil({ kind: 'manifest' }, fault);
    assert.equal(told(await list()), expected);
  });
}

test("the referrers of a subject that is not admitted are nobody's business, and not asked for", async (t) => {
  const { registry, gateway, list } = await start(t);
  gateway.signed.withdraw('corp/app', '1');
  assert.equal(told(await list()), '403 DENIED DIGEST_NOT_SIGNED');
  gateway.advance(1000);
  gateway.signed.unreachable = true;
  assert.equal(told(await list()), '503 UNAVAILABLE TRUST_UNREACHABLE');
  assert.equal(registry.requests.length, 0);
});

test('what a list names is not admitted by being listed', async (t) => {
  const { gateway, list } = await start(t);
  assert.deepEqual(digestsIn(await list()), [signature.digest]);
  await request(gateway.url).get(`/v2/corp/app/manifests/${signature.digest}`).expect(403);
});

test('what is no descriptor is not passed on, and what is may have fields that are null', async (t) => {
  const { registry, list } = await start(t);
  const entry = { digest: signature.digest, artifactType: 'a', annotations: null };
  registry.spoil({ kind: 'referrers' }, { body: JSON.stringify({ manifests: [null, 1, 'x', entry] }) });
  for (const query of ['', '?artifactType=a']) assert.deepEqual(digestsIn(await list(query)), [signature.digest]);
});
