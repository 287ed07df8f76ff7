import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { digestOf } from '../../oci/digest.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { receive, SIGNED, TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { refusing, SignedTargets, unknown } from '../support/signed-targets.ts';
import { errorIn, told } from '../support/told.ts';

const app = image();
const APP = '/v2/corp/app/manifests';

async function start(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  registry.push('app', app, '1');
  const ask = (reference: string) => receive(`${gateway.url}${APP}/${reference}`);
  return { registry, gateway, ask };
}

test('a manifest comes with its media type, length and digest; HEAD says the same without it', async (t) => {
  const { registry, gateway } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  const expected = {
    'content-type': app.mediaType,
    'content-length': `${app.bytes.byteLength}`,
    'docker-content-digest': app.digest,
    etag: `"${app.digest}"`,
    warning: undefined,
  };
  const got = await receive(`${gateway.url}${APP}/1`);
  const head = await request(gateway.url).head(`${APP}/1`).expect(200);
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(got.headers[name], value, name);
    assert.equal(head.headers[name], value, name);
  }
  assert.deepEqual(got.body, app.bytes);
  assert.equal(registry.count('manifest'), 1);
});

test('a manifest that was fetched is on disk, and not asked for again', async (t) => {
  const { gateway, ask } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  await ask('1');
  assert.deepEqual(Buffer.from((await gateway.store.readAll(app.digest, 100_000)) ?? []), app.bytes);
});

test('a signed manifest that the upstream does not have is unknown', async (t) => {
  const { gateway, ask } = await start(t);
  gateway.signed.sign('corp/app', '2', image({ layers: ['never pushed'] }).digest);
  assert.equal(told(await ask('2')), '404 MANIFEST_UNKNOWN');
});

test('a signed document that is no manifest is refused under its rule, and not kept', async (t) => {
  const { registry, gateway, ask } = await start(t);
  const bytes = Buffer.from('{}');
  registry.push('app', { ...app, bytes, digest: digestOf(bytes) }, 'bad');
  gateway.signed.sign('corp/app', 'bad', digestOf(bytes));
  const answer = await ask('bad');
  assert.equal(told(answer), '403 DENIED MANIFEST_INVALID');
  assert.equal((errorIn(answer).detail as { rule?: string }).rule, 'policy[0]');
  assert.equal(gateway.store.count, 0);
});

test('a rule that only warns serves, says in a header what it would have said, and in the log', async (t) => {
  const { gateway, ask } = await start(t, { rules: [{ images: '**', mode: 'warn', ...SIGNED }] });
  const answer = await ask('1');
  assert.equal(answer.status, 200);
  const warning = String(answer.headers.warning);
  assert.match(warning, /^299 - "DockLock refused corp\/app:1: it is NOT_SIGNED \[NOT_SIGNED\]\. [^"\\]+"$/);
  const line = gateway.log.at('warn').find(({ facts }) => 'event' in facts);
  assert.deepEqual(line?.facts, {
    event: 'would-deny',
    image: 'corp/app:1',
    rule: 'policy[0]',
    outcome: 'refused',
    reason: 'NOT_SIGNED',
  });
  gateway.signed.sign('corp/app', '1', app.digest);
  gateway.advance(1000);
  gateway.log.lines.length = 0;
  assert.equal((await ask('1')).headers.warning, undefined);
  assert.equal(gateway.log.at('warn').length, 0);
});

test('a digest is admitted through the tag it was pulled by, for as long as that tag is', async (t) => {
  // Only the tag is covered: a digest has none, and is led back to it.
  const rules = [{ images: 'corp/app:1*', ...SIGNED }];
  const { gateway, ask } = await start(t, { rules });
  gateway.signed.sign('corp/app', '1', app.digest);
  assert.equal(told(await ask(image({ layers: ['signed by nobody'] }).digest)), '403 DENIED NO_RULE');
  assert.equal(told(await ask('1')), '200');
  gateway.advance(1000);
  assert.equal(told(await ask(app.digest)), '200');
  gateway.signed.unreachable = true;
  gateway.advance(1000);
  assert.equal(told(await ask(app.digest)), '503 UNAVAILABLE TRUST_UNREACHABLE');
  gateway.signed.unreachable = false;
  gateway.signed.sign('corp/app', '1', image({ layers: ['what the tag means now'] }).digest);
  gateway.advance(1000);
  assert.equal(told(await ask(app.digest)), '403 DENIED NO_RULE', 'the tag is admitted, but not as this');
});

test('a trouble of the upstream about one way does not hide another that admits', async (t) => {
  const rules = [
    { images: 'corp/app:free', unsafeAllowUnsigned: true },
    { images: 'corp/app:1', ...SIGNED },
  ];
  const { registry, gateway, ask } = await start(t, { rules });
  registry.push('app', app, 'free');
  gateway.signed.sign('corp/app', '1', app.digest);
  for (const tag of ['free', '1']) assert.equal(told(await ask(tag)), '200');
  registry.untag('app', 'free');
  gateway.advance(1000);
  assert.equal(told(await ask(app.digest)), '200', 'by the tag that is signed');
  gateway.signed.withdraw('corp/app', '1');
  registry.spoil({}, { status: 403 });
  gateway.advance(1000);
  assert.equal(
    told(await ask(app.digest)),
    '502 UNAVAILABLE UPSTREAM_DENIED',
    'what could not be asked outweighs a refusal',
  );
});

test('a digest that is signed itself needs no other way', async (t) => {
  const { gateway, ask } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  for (const tag of ['1', app.digest]) assert.equal(told(await ask(tag)), '200');
  gateway.advance(1000);
  const asked = gateway.signed.questions.length;
  assert.equal(told(await ask(app.digest)), '200');
  assert.equal(gateway.signed.questions.length, asked + 1);
});

test('a child of an index is judged as its index is: refused, unknown, warned, and of the size that is listed', async (t) => {
  const child = image({ layers: ['of the child'] });
  const multi = index([child]);
  const { registry, gateway, ask } = await start(t);
  registry.push('app', multi, 'multi');
  gateway.signed.sign('corp/app', 'multi', multi.digest);
  for (const reference of ['multi', child.digest]) assert.equal(told(await ask(reference)), '200');
  gateway.advance(1000);
  gateway.signed.says = unknown('TRUST_STALE', 3);
  assert.equal(told(await ask(child.digest)), '503 UNAVAILABLE TRUST_STALE');
  gateway.advance(1000);
  gateway.signed.says = refusing('METADATA_EXPIRED');
  assert.equal(told(await ask(child.digest)), '403 DENIED METADATA_EXPIRED');
});

test('a child whose index cannot be asked about is the trouble of the upstream, not ours', async (t) => {
  const child = image({ layers: ['of the child'] });
  const multi = index([child]);
  const { registry, gateway, ask } = await start(t, { rules: [{ images: '**', unsafeAllowUnsigned: true }] });
  registry.push('app', multi, 'multi');
  for (const reference of ['multi', child.digest]) assert.equal(told(await ask(reference)), '200');
  registry.spoil({}, { status: 403 });
  gateway.advance(1000);
  assert.equal(told(await ask(child.digest)), '502 UNAVAILABLE UPSTREAM_DENIED');
});

test('an index that lists a child with a wrong size does not admit it', async (t) => {
  const child = image({ layers: ['of the child'] });
  const multi = index([child]);
  const bytes = Buffer.from(multi.bytes.toString().replace(`"size":${child.bytes.byteLength}`, '"size":1'));
  const { registry, gateway, ask } = await start(t);
  registry.push('app', { ...multi, bytes, digest: digestOf(bytes) }, 'lying');
  gateway.signed.sign('corp/app', 'lying', digestOf(bytes));
  assert.equal(told(await ask('lying')), '200');
  assert.equal(told(await ask(child.digest)), '403 DENIED CONTENT_MISMATCH');
});

test('indexes within indexes are followed three deep, and no deeper', async (t) => {
  const { registry, gateway, ask } = await start(t);
  const levels = [app];
  for (let level = 1; level <= 4; level += 1) levels.unshift(index([levels[0] ?? app]));
  registry.push('app', levels[0] ?? app, 'deep');
  gateway.signed.sign('corp/app', 'deep', levels[0]?.digest ?? app.digest);
  assert.equal(told(await ask('deep')), '200');
  const said = [];
  for (const { digest } of levels) {
    gateway.advance(1000);
    said.push(told(await ask(digest)));
  }
  assert.deepEqual(said, ['200', '200', '200', '200', '403 DENIED DIGEST_NOT_SIGNED']);
});

test('a verdict is used again for a second, and for no longer than it is good', async (t) => {
  const { gateway, ask } = await start(t);
  gateway.signed.sign('corp/app', '1', app.digest);
  const asks = async () => {
    const before = gateway.signed.questions.length;
    assert.equal(told(await ask('1')), '200');
    return gateway.signed.questions.length - before;
  };
  assert.equal(await asks(), 1);
  gateway.advance(999);
  assert.equal(await asks(), 0);
  gateway.advance(1);
  assert.equal(await asks(), 1);
  gateway.signed.validFor = 10;
  gateway.advance(1000);
  assert.equal(await asks(), 1);
  gateway.advance(10);
  assert.equal(await asks(), 1, 'what it rests on was over sooner');
});

test('an admission that cannot be recorded closes the blobs, not the manifest, and the log says so', async (t) => {
  const { gateway, ask } = await start(t, { authorities: [new SignedTargets('other')] });
  gateway.signed.sign('corp/app', '1', app.digest);
  t.mock.method(gateway.admissions, 'record', () => {
    throw new Error('disk full');
  });
  assert.equal(told(await ask('1')), '200');
  assert.equal(told(await receive(`${gateway.url}/v2/corp/app/blobs/${app.layers[0]}`)), '403 DENIED NOT_ADMITTED');
  assert.equal(gateway.log.at('error')[0]?.text, 'admission not recorded');
});
