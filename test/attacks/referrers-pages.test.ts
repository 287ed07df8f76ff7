/** CVE-2026-88887: credentials followed a pagination link. And lists of referrers that never end, or pass for whole without a page. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OCI_INDEX } from '../../oci/media-type.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { told } from '../support/told.ts';

const app = image();
const SELF = `/v2/app/referrers/${app.digest}`;
const BAD = '502 UNAVAILABLE UPSTREAM_BAD_ANSWER';
const ELSEWHERE = '502 UNAVAILABLE UPSTREAM_FORBIDDEN_TARGET';

/** One page as it comes, with entries of these names. */
function page(names: readonly string[], link?: string, more: Fault = {}): Fault {
  const manifests = names.map((name) => ({ name, artifactType: name.slice(0, 1) }));
  return {
    status: 200,
    body: JSON.stringify({ schemaVersion: 2, manifests }),
    headers: { 'content-type': OCI_INDEX, ...(link === undefined ? {} : { link }) },
    ...more,
  };
}

function next(query: string): string {
  return `<${SELF}?${query}>; rel="next"`;
}

/** Pages in the order in which they are asked for. */
async function stage(t: TestContext, pages: readonly Fault[]) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry } });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  for (const fault of pages.toReversed()) registry.spoil({ kind: 'referrers' }, fault, 1);
  const list = (query = '') => receive(`${gateway.url}/v2/corp/app/referrers/${app.digest}${query}`);
  const queries = () => registry.requests.filter(({ kind }) => kind === 'referrers').map(({ query }) => `${query}`);
  return { registry, list, queries };
}

function namesIn({ body }: { readonly body: Buffer }): string[] {
  return JSON.parse(body.toString()).manifests.map(({ name }: { name: string }) => name);
}

for (const [what, link] of [
  ['a path', `<${SELF}?last=2>; rel="next"`],
  ['a query alone', '<?last=2>; rel=next'],
  ['a digest that is written %3A', `<${SELF.replace('sha256:', 'sha256%3A')}?last=2>; rel="next"`],
  ['one of several relations', `<https://docs.example/>; rel="help", <${SELF}?last=2>; rel="prev next"; title="2"`],
] as const) {
  test(`all pages are one list, the link being ${what}`, async (t) => {
    const { list, queries } = await stage(t, [page(['a1', 'b1'], link), page([], next('last=3')), page(['a2'])]);
    const answer = await list();
    assert.deepEqual([answer.status, namesIn(answer)], [200, ['a1', 'b1', 'a2']]);
    assert.deepEqual([answer.headers.link, answer.headers['content-type']], [undefined, OCI_INDEX]);
    assert.deepEqual(queries(), ['', 'last=2', 'last=3']);
  });
}

test('all pages are filtered by the type that is asked for', async (t) => {
  const { list } = await stage(t, [page(['a1', 'b1'], next('last=2')), page(['b2', 'a2'])]);
  assert.deepEqual(namesIn(await list('?artifactType=b')), ['b1', 'b2']);
});

for (const [what, link] of [
  ['help', '<https://docs.example/next>; rel="help"'],
  ['nextdoor', `<${SELF}?last=2>; rel="nextdoor"`],
] as const) {
  test(`a link with the relation ${what} is no next page`, async (t) => {
    const { list, queries } = await stage(t, [page(['a1'], link)]);
    assert.deepEqual(namesIn(await list()), ['a1']);
    assert.equal(queries().length, 1);
  });
}

const ELSEWHERES: readonly (readonly [what: string, link: (own: string, evil: string) => string])[] = [
  ['another host', (_, evil) => `${evil}${SELF}?last=2`],
  ['another host without a scheme', (_, evil) => `${evil.replace('http:', '')}${SELF}?last=2`],
  ['another port of the host', (own, evil) => `${own.replace(/\d+$/, evil.split(':').at(-1) ?? '')}${SELF}?last=2`],
  ['another scheme', (own) => `${own.replace('http:', 'https:')}${SELF}?last=2`],
  ['a file', () => 'file:///etc/passwd'],
  ['another repository', () => `/v2/secret/referrers/${app.digest}?last=2`],
  ['another repository by way of dots', () => `${SELF}/../../../secret/referrers/${app.digest}?last=2`],
  ['credentials of its own', (own) => `${own.replace('//', '//user:password@')}${SELF}?last=2`],
];

for (const [what, link] of ELSEWHERES) {
  test(`a next page on ${what} is not asked for, and the list is not given without it: ${ELSEWHERE}`, async (t) => {
    const evil = await FakeRegistry.start(t, { address: '127.0.0.2' });
    const { registry, list, queries } = await stage(t, []);
    registry.spoil({ kind: 'referrers' }, page(['a1'], `<${link(registry.url, evil.url)}>; rel="next"`));
    assert.equal(told(await list()), ELSEWHERE);
    assert.deepEqual([evil.connections, queries()], [0, ['']]);
  });
}

const many = (count: number) => Array.from({ length: count }, (_, at) => `a${at}`);
const padded = page(['a1', 'x'.repeat(2.2 * 1024 * 1024)]);

const TROUBLE: readonly (readonly [what: string, pages: readonly Fault[], expected: string, asked: number])[] = [
  ['comes back to the first', [page(['a1'], next('last=2')), page(['a2'], `<${SELF}>; rel="next"`)], BAD, 2],
  ['is itself', [page(['a1'], next('last=2')), page(['a2'], next('last=2'))], BAD, 2],
  ['is not there', [page(['a1'], next('last=2')), { status: 404, body: '{}' }], BAD, 2],
  ['is no index', [page(['a1'], next('last=2')), page([], undefined, { body: '{"manifests":{}}' })], BAD, 2],
  [
    'is another kind of document',
    [page(['a1'], next('last=2')), page([], undefined, { headers: { 'content-type': 'text/html' } })],
    BAD,
    2,
  ],
  [
    'is throttled',
    [page(['a1'], next('last=2')), { status: 429, headers: { 'retry-after': '7' } }],
    '429 TOOMANYREQUESTS UPSTREAM_RATE_LIMITED',
    2,
  ],
  ['is denied', [page(['a1'], next('last=2')), { status: 403 }], '502 UNAVAILABLE UPSTREAM_DENIED', 2],
  ['is one of two', [page(['a1'], `${next('last=2')}, ${next('last=3')}`)], BAD, 1],
  ['is no address', [page(['a1'], '<http://[>; rel="next"')], BAD, 1],
  ['is not written as a link', [page(['a1'], `${SELF}?last=2; rel="next"`)], BAD, 1],
  ['is hidden in a long header', [page(['a1'], `${next('last=2')}; title="${'x'.repeat(9000)}"`)], BAD, 1],
  [
    'follows a page with an entry nested without end',
    [page([], next('last=2'), { body: `{"manifests":[{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}` })],
    BAD,
    1,
  ],
  ['has one entry too many', [page(many(6000), next('last=2')), page(many(4001))], BAD, 2],
  [
    'has too many bytes with the first',
    [{ ...padded, headers: { ...padded.headers, link: next('last=2') } }, padded],
    BAD,
    2,
  ],
];

for (const [what, pages, expected, asked] of TROUBLE) {
  test(`a list whose next page ${what} is no list: ${expected}`, async (t) => {
    const { list, queries } = await stage(t, pages);
    const answer = await list();
    assert.equal(told(answer), expected);
    assert.equal(queries().length, asked);
  });
}

test('as many entries as a manifest may list are passed on', async (t) => {
  const { list } = await stage(t, [page(many(6000), next('last=2')), page(many(4000))]);
  assert.equal(namesIn(await list()).length, 10_000);
});

test('a hundred pages are read, and a list that goes on after them is an error', async (t) => {
  const pages = Array.from({ length: 100 }, (_, at) => page([`a${at}`], next(`last=${at + 1}`)));
  const whole = await stage(t, [...pages.slice(0, 99), page(['a99'])]);
  assert.equal(namesIn(await whole.list()).length, 100);
  const endless = await stage(t, pages);
  assert.equal(told(await endless.list()), BAD);
  assert.equal(endless.queries().length, 100);
});
