/**
 * What an upstream's trouble does to what was pulled before, and to what was not. Only an outage lets an earlier word stand;
 * "not for you" and "not there" are answers, and end it (distribution's proxy served its old copy on any error).
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, SIGNED, TestGateway, type TestRule } from '../support/gateway.ts';
import type { Fault } from '../support/registry-fault.ts';
import { SignedTargets } from '../support/signed-targets.ts';
import { told } from '../support/told.ts';

const HOUR = 3_600_000;
const PULL_WINDOW = 900_000;
const app = image({ layers: ['pulled', 'not pulled'] });
const other = image({ layers: ['of another'] });

interface Trouble {
  readonly what: string;
  readonly outage: boolean;
  readonly fault: Fault | 'refused';
  /** What is said of a manifest that needs the upstream. */
  readonly manifest: string;
  /** And of a blob. */
  readonly blob?: string;
}

const TROUBLES: readonly Trouble[] = [
  { what: '401', outage: false, fault: { status: 401 }, manifest: '502 UNAVAILABLE UPSTREAM_DENIED' },
  { what: '403', outage: false, fault: { status: 403 }, manifest: '502 UNAVAILABLE UPSTREAM_DENIED' },
  {
    what: '401 with a challenge that nothing meets',
    outage: false,
    fault: { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    manifest: '502 UNAVAILABLE UPSTREAM_DENIED',
  },
  { what: '404', outage: false, fault: { status: 404 }, manifest: '404 MANIFEST_UNKNOWN', blob: '404 BLOB_UNKNOWN' },
  { what: '410', outage: false, fault: { status: 410 }, manifest: '404 MANIFEST_UNKNOWN', blob: '404 BLOB_UNKNOWN' },
  { what: '429', outage: true, fault: { status: 429 }, manifest: '429 TOOMANYREQUESTS UPSTREAM_RATE_LIMITED' },
  { what: '500', outage: true, fault: { status: 500 }, manifest: '502 UNAVAILABLE UPSTREAM_SERVER_ERROR' },
  { what: '503', outage: true, fault: { status: 503 }, manifest: '502 UNAVAILABLE UPSTREAM_SERVER_ERROR' },
  {
    what: 'a time-out',
    outage: true,
    fault: { hangUntil: new Promise(() => undefined) },
    manifest: '504 UNAVAILABLE UPSTREAM_TIMED_OUT',
  },
  { what: 'a cut connection', outage: true, fault: { reset: true }, manifest: '502 UNAVAILABLE UPSTREAM_UNREACHABLE' },
  { what: 'a refused connection', outage: true, fault: 'refused', manifest: '502 UNAVAILABLE UPSTREAM_UNREACHABLE' },
  { what: 'garbage', outage: false, fault: { raw: 'garbage' }, manifest: '502 UNAVAILABLE UPSTREAM_BAD_ANSWER' },
];

const WORD: Readonly<Record<string, Omit<TestRule, 'images'>>> = {
  unsafeAllowUnsigned: { unsafeAllowUnsigned: true },
  'mode warn': { mode: 'warn', require: { kind: 'all', authorities: ['nobody'] } },
};

async function start(t: TestContext, rule: Omit<TestRule, 'images'>) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, {
    upstreams: { corp: registry },
    rules: [{ images: '**', maxAge: HOUR, ...rule }],
    authorities: [new SignedTargets('nobody')],
    limits: { firstByte: 30 },
  });
  registry.push('app', app, '1');
  registry.push('other', other, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  gateway.signed.sign('corp/other', '1', other.digest);
  const ask = async (path: string) => told(await receive(`${gateway.url}/v2/corp/${path}`));
  /** Everything that was pulled before: by tag, by digest, and a layer. */
  const pulled = ['app/manifests/1', `app/manifests/${app.digest}`, `app/blobs/${app.layers[0]}`];
  for (const path of pulled) assert.equal(await ask(path), '200');
  const breakDown = async ({ fault }: Trouble) => {
    if (fault === 'refused') await registry.close();
    else registry.spoil({}, fault);
    // What was found a moment ago is not used any more.
    gateway.advance(1000);
  };
  return { registry, gateway, ask, pulled, breakDown };
}

for (const trouble of TROUBLES) {
  const { what, outage, manifest, blob = manifest } = trouble;

  test(`${what}: what is signed and was pulled is served; what was not is ${manifest}`, async (t) => {
    const { gateway, ask, pulled, breakDown } = await start(t, SIGNED);
    await breakDown(trouble);
    for (const path of pulled) assert.equal(await ask(path), '200', path);
    for (const path of ['other/manifests/1', `other/manifests/${other.digest}`])
      assert.equal(await ask(path), manifest);
    assert.equal(await ask(`app/blobs/${app.layers[1]}`), blob);
    gateway.signed.withdraw('corp/app', '1');
    gateway.advance(1000);
    assert.equal(await ask('app/manifests/1'), '403 DENIED TAG_NOT_SIGNED', 'trouble withdraws no refusal');
  });

  for (const [kind, rule] of Object.entries(WORD)) {
    test(`${what}, under ${kind}: the upstream's last word ${outage ? 'stands for its time' : 'is over'}`, async (t) => {
      const { gateway, ask, pulled, breakDown } = await start(t, rule);
      await breakDown(trouble);
      const manifests = pulled.slice(0, 2);
      for (const path of manifests) assert.equal(await ask(path), outage ? '200' : manifest, path);
      const said = gateway.log.at('warn').filter(({ text }) => text === 'upstream is out; its last word stands');
      assert.equal(said.length, outage ? manifests.length : 0);
      assert.equal(await ask(pulled[2] ?? ''), '200', 'a pull that began may finish');
      for (const path of ['other/manifests/1', `other/manifests/${other.digest}`]) {
        assert.equal(await ask(path), manifest, path);
      }
      gateway.advance(HOUR - 1000);
      for (const path of pulled) assert.equal(await ask(path), outage ? '200' : manifest, 'at the end of its time');
      gateway.advance(1001);
      for (const path of manifests) assert.equal(await ask(path), manifest, 'after its time');
      gateway.advance(PULL_WINDOW);
      assert.equal(await ask(pulled[2] ?? ''), manifest, 'and after that of the pull that began last');
    });
  }

  if (!outage) {
    test(`${what}, and then an outage: what the upstream said before does not come back`, async (t) => {
      const { registry, gateway, ask, pulled, breakDown } = await start(t, { unsafeAllowUnsigned: true });
      await breakDown(trouble);
      for (const path of pulled.slice(0, 2)) assert.equal(await ask(path), manifest);
      registry.spoil({}, { status: 503 });
      gateway.advance(1000);
      for (const path of pulled.slice(0, 2)) assert.equal(await ask(path), '502 UNAVAILABLE UPSTREAM_SERVER_ERROR');
      registry.spoil({}, {});
      gateway.advance(1000);
      for (const path of pulled) assert.equal(await ask(path), '200', 'and the trouble ends when it is over');
    });
  }
}

test('a rate limit is told with the time to wait, and asked for no sooner', async (t) => {
  const { registry, gateway, ask } = await start(t, SIGNED);
  registry.spoil({}, { status: 429, headers: { 'retry-after': '20' } }, 1);
  const answer = await receive(`${gateway.url}/v2/corp/other/manifests/1`);
  assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '20']);
  const asked = registry.requests.length;
  gateway.advance(5500);
  const again = await receive(`${gateway.url}/v2/corp/other/manifests/1`);
  assert.deepEqual([again.status, again.headers['retry-after']], [429, '15']);
  assert.equal(registry.requests.length, asked);
  gateway.advance(20_000);
  assert.equal(await ask('other/manifests/1'), '200');
});

test('a rate limit that names no time is told with one of ours', async (t) => {
  const { registry, gateway } = await start(t, SIGNED);
  registry.spoil({}, { status: 429 });
  const answer = await receive(`${gateway.url}/v2/corp/other/manifests/1`);
  assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '30']);
});
