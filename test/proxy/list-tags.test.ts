import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request, { type Response } from 'supertest';
import { parseTagQuery } from '../../proxy/list-tags.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { SIGNED, TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const app = image();
const LIST = '/v2/corp/app/tags/list';
const OPEN = [{ images: '**', unsafeAllowUnsigned: true }];

async function start(t: TestContext, tags: readonly string[], options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  registry.push('app', app, ...tags);
  const page = (query = '') => request(gateway.url).get(`${LIST}${query}`);
  return { registry, gateway, page };
}

test('only tags that are signed now are listed, and those that could not be asked about', async (t) => {
  const { registry, gateway, page } = await start(t, ['1', '2', '3']);
  gateway.signed.sign('corp/app', '2', app.digest);
  assert.deepEqual((await page().expect(200)).body, { name: 'corp/app', tags: ['2'] });
  gateway.advance(1000);
  gateway.signed.unreachable = true;
  assert.deepEqual((await page().expect(200)).body.tags, ['1', '2', '3']);
  assert.equal(registry.requests.length, registry.count('tags'), 'what a tag is was not asked for');
});

test('tags that no rule covers are not listed; where nothing is proved, the rest are, unasked', async (t) => {
  const rules = [
    { images: 'corp/app:1.*', unsafeAllowUnsigned: true },
    { images: 'corp/app:2.*', mode: 'warn', ...SIGNED },
    { images: 'corp/app:3.*', ...SIGNED },
  ] as const;
  const { registry, gateway, page } = await start(t, ['1.0', '2.0', '3.0', '4.0'], { rules });
  assert.deepEqual((await page().expect(200)).body.tags, ['1.0', '2.0']);
  assert.equal(gateway.signed.questions.length, 1, 'only the tag that has to be signed was asked about');
  assert.equal(registry.requests.length, 1);
});

test('pages follow one another to the end, each by a link to us that says how to go on', async (t) => {
  const { registry, gateway, page } = await start(t, ['a', 'b', 'c', 'd', 'e'], { rules: OPEN });
  const seen: string[] = [];
  let path: string | undefined = `${LIST}?n=2`;
  while (path !== undefined) {
    const answer: Response = await request(gateway.url).get(path).expect(200);
    seen.push(answer.body.tags.join());
    path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1];
    if (seen.length === 1) assert.equal(path, `${LIST}?last=b&n=2`);
  }
  assert.deepEqual(seen, ['a,b', 'c,d', 'e']);
  assert.deepEqual(
    registry.requests.map(({ query }) => `${query}`),
    ['n=2', 'n=2&last=b', 'n=2&last=d'],
  );
  assert.equal((await page().expect(200)).headers.link, undefined);
  assert.equal(registry.requests.at(-1)?.query.get('n'), '1000');
  assert.equal(registry.requests.at(-1)?.query.has('last'), false);
});

test('a link to the next page keeps the ns that it was asked with', async (t) => {
  const { gateway } = await start(t, ['a', 'b'], { rules: OPEN });
  const { headers } = await request(gateway.url).get('/v2/app/tags/list?ns=corp&n=1').expect(200);
  assert.equal(headers.link, '</v2/app/tags/list?last=a&n=1&ns=corp>; rel="next"');
});

test('a page of none asks nobody, and larger pages than ours are cut', async (t) => {
  const { registry, page } = await start(t, ['a'], { rules: OPEN });
  assert.deepEqual((await page('?n=0').expect(200)).body.tags, []);
  assert.equal(registry.requests.length, 0);
  await page('?n=5000').expect(200);
  assert.equal(registry.requests[0]?.query.get('n'), '1000');
});

const ALL = JSON.stringify({ name: 'app', tags: ['a', 'b', 'c'] });

test('an upstream that ignores n and last is cut to the page that was asked for, and to what comes after', async (t) => {
  const { registry, page } = await start(t, [], { rules: OPEN });
  registry.spoil({ kind: 'tags' }, { status: 200, body: ALL });
  const first = await page('?n=2').expect(200);
  assert.deepEqual([first.body.tags, first.headers.link], [['a', 'b'], `<${LIST}?last=b&n=2>; rel="next"`]);
  const second = await page('?n=2&last=b').expect(200);
  assert.deepEqual([second.body.tags, second.headers.link], [['c'], undefined]);
  const exact = await page('?n=3').expect(200);
  assert.deepEqual([exact.body.tags.length, exact.headers.link], [3, undefined]);
});

test('a next page that the upstream only claims, again and again, is a bad answer', async (t) => {
  const { registry, page } = await start(t, [], { rules: OPEN });
  const link = '</v2/app/tags/list?last=x>; rel="next"';
  registry.spoil({ kind: 'tags' }, { status: 200, body: '{"name":"app","tags":[]}', headers: { link } });
  assert.equal(told(await page()), '502 UNAVAILABLE UPSTREAM_BAD_ANSWER');
});

test('a repository without tags has a page of none', async (t) => {
  const { registry, page } = await start(t, [], { rules: OPEN });
  for (const tags of ['[]', 'null']) {
    registry.spoil({ kind: 'tags' }, { status: 200, body: `{"name":"app","tags":${tags}}` });
    assert.deepEqual((await page().expect(200)).body.tags, []);
  }
});

test('what no client could ask for is not listed', async (t) => {
  const { registry, page } = await start(t, [], { rules: OPEN });
  const tags = ['ok', '', '../x', 'a b', 'x'.repeat(129), '\u0000', 'sha256:abc', '-x'];
  registry.spoil({ kind: 'tags' }, { status: 200, body: JSON.stringify({ name: 'app', tags }) });
  assert.deepEqual((await page().expect(200)).body.tags, ['ok']);
});

test('a repository that the upstream does not know is unknown; one that no rule covers is not asked for', async (t) => {
  const rules = [{ images: 'corp/app/**', unsafeAllowUnsigned: true }];
  const { registry, gateway, page } = await start(t, ['1'], { rules });
  assert.equal(told(await page()), '403 DENIED NO_RULE');
  assert.equal(registry.requests.length, 0);
  assert.equal(told(await request(gateway.url).get('/v2/corp/app/none/tags/list')), '404 NAME_UNKNOWN');
});

for (const [n, last, code] of [
  ['-1', undefined, 'PAGINATION_NUMBER_INVALID'],
  ['1.5', undefined, 'PAGINATION_NUMBER_INVALID'],
  ['', undefined, 'PAGINATION_NUMBER_INVALID'],
  ['1e3', undefined, 'PAGINATION_NUMBER_INVALID'],
  ['9'.repeat(10), undefined, 'PAGINATION_NUMBER_INVALID'],
  [undefined, '../x', 'TAG_INVALID'],
  [undefined, 'x'.repeat(129), 'TAG_INVALID'],
] as const) {
  test(`a page of n=${n} last=${last?.slice(0, 10)} is ${code}`, () => {
    assert.throws(() => parseTagQuery(n, last), { name: 'RegistryError', code });
  });
}

test('a page may be asked for without n, and with an empty last', () => {
  assert.deepEqual(parseTagQuery(undefined, undefined), { n: undefined, last: undefined });
  assert.deepEqual(parseTagQuery('7', ''), { n: 7, last: undefined });
  assert.deepEqual(parseTagQuery('7', 'v1'), { n: 7, last: 'v1' });
});
