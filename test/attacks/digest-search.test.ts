import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { LOOK_LIMIT } from '../../proxy/signed-walk.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { SIGNED, TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { SignedTargets } from '../support/signed-targets.ts';

const HOUR = 3_600_000;
const child = image({ layers: ['of the child'] });
const multi = index([child]);

/** A fresh gateway: nothing recorded leads from a digest to what is signed, so it is looked for there. */
async function start(t: Parameters<typeof FakeRegistry.start>[0], options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  const app = `${gateway.url}/v2/corp/app`;
  const refusal = async (path: string) => (await request(app).get(path).expect(403)).body.errors[0];
  return { registry, gateway, app, refusal };
}

function randomDigests(count: number, salt: string): readonly Digest[] {
  return Array.from({ length: count }, (_, at) => digestOf(Buffer.from(`${salt} ${at}`)));
}

function signImages(registry: FakeRegistry, signed: SignedTargets, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const app = image({ layers: [`layer ${at}`] });
    registry.push('app', app, `v${at}`);
    signed.sign('corp/app', `v${at}`, app.digest);
  }
}

test('a storm of random digests costs the upstream a bounded number of requests, however many tags are signed', async (t) => {
  const { registry, gateway, app } = await start(t);
  signImages(registry, gateway.signed, 3 * LOOK_LIMIT);
  for (const kind of ['manifests', 'blobs']) {
    const before = registry.requests.length;
    for (const wave of ['first', 'second']) {
      const asked = randomDigests(60, `${kind} ${wave}`).map((digest) => request(app).get(`/${kind}/${digest}`));
      const answers = await Promise.all(asked);
      for (const { status, body } of answers) {
        assert.equal(status, 403);
        assert.match(body.errors[0].message, /has not looked through all that is signed there: pull by tag first/);
      }
      assert.equal(registry.requests.length - before, LOOK_LIMIT, `${kind}, ${wave} wave`);
    }
  }
});

test('new trust metadata does not give a storm new looks; later ones go on where it ended, and then cost nothing', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  signImages(registry, gateway.signed, LOOK_LIMIT + 10);
  const costOf = async (salt: string) => {
    const before = registry.requests.length;
    for (const digest of randomDigests(5, salt)) await refusal(`/manifests/${digest}`);
    return registry.requests.length - before;
  };
  assert.equal(await costOf('one'), LOOK_LIMIT);
  gateway.signed.sign('corp/app', 'more', image({ layers: ['more'] }).digest);
  assert.equal(await costOf('two'), 0);
  gateway.advance(HOUR);
  // Of the last, signed but nowhere, a 404 is the answer.
  assert.equal(await costOf('three'), 11);
  gateway.advance(HOUR);
  assert.equal(await costOf('four'), 1);
});

test('what is beyond the limit is served by tag, and then by digest', async (t) => {
  const { registry, gateway, app, refusal } = await start(t);
  // Whoever looks for a blob passes by what was looked at for a manifest, and has as many looks again.
  signImages(registry, gateway.signed, 2 * LOOK_LIMIT);
  registry.push('app', multi, 'last');
  gateway.signed.sign('corp/app', 'last', multi.digest);
  await refusal(`/manifests/${child.digest}`);
  await refusal(`/blobs/${child.layers[0]}`);
  await request(app).get('/manifests/last').expect(200);
  gateway.advance(2000);
  await request(app).get(`/manifests/${child.digest}`).expect(200);
  await request(app).get(`/blobs/${child.layers[0]}`).expect(200);
});

test('a signed digest under a tag pattern is served by itself, whatever a storm has spent', async (t) => {
  const { registry, gateway, app, refusal } = await start(t, { rules: [{ images: 'corp/app:v*', ...SIGNED }] });
  signImages(registry, gateway.signed, LOOK_LIMIT);
  registry.push('app', multi, 'vlast');
  gateway.signed.sign('corp/app', 'vlast', multi.digest);
  await refusal(`/manifests/${digestOf(Buffer.from('random'))}`);
  await request(app).get(`/manifests/${multi.digest}`).expect(200);
});

test('in an outage a storm costs a few requests, and what it asked for is not refused', async (t) => {
  const { registry, gateway, app } = await start(t);
  signImages(registry, gateway.signed, LOOK_LIMIT - 1);
  registry.push('app', multi, 'w');
  gateway.signed.sign('corp/app', 'w', multi.digest);
  const mend = registry.spoil({}, { status: 503 });
  for (let time = 0; time < 3; time += 1) {
    const before = new Set(registry.requests);
    const asked = randomDigests(10, `time ${time}`).map((digest) => request(app).get(`/manifests/${digest}`));
    for (const { status } of await Promise.all(asked)) assert.equal(status, 502);
    // The upstream's client tries each a few times.
    const paths = registry.requests.filter((one) => !before.has(one)).map(({ path }) => path);
    assert.equal(new Set(paths).size, time === 0 ? 4 : 1);
    gateway.advance(10_000);
  }
  mend();
  await request(app).get(`/manifests/${child.digest}`).expect(200);
});

test('a slow upstream does not make one client wait for the whole search, and the next one goes on with it', async (t) => {
  const { registry, gateway, app } = await start(t);
  signImages(registry, gateway.signed, 10);
  registry.push('app', multi, 'w');
  gateway.signed.sign('corp/app', 'w', multi.digest);
  const first = registry.arrival({ kind: 'manifest' }).then(() => gateway.advance(20_000));
  const got = await request(app).get(`/manifests/${child.digest}`).expect(504);
  assert.equal(got.body.errors[0].detail.reason, 'UPSTREAM_TIMED_OUT');
  await first;
  assert.equal(registry.count('manifest'), 4);
  await request(app).get(`/manifests/${child.digest}`).expect(200);
  assert.equal(registry.count('manifest'), 12);
});

test('a signed manifest that the upstream only ever serves too large is not fetched for ever', async (t) => {
  const { registry, gateway, app } = await start(t);
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  registry.spoil({ kind: 'manifest' }, { headers: { 'content-length': String(64 * 1024 * 1024) } });
  for (let at = 0; at < 40; at += 1) {
    const [digest] = randomDigests(1, `at ${at}`);
    await request(app).get(`/manifests/${digest}`).expect(502);
    gateway.advance(10_000);
  }
  assert.ok(registry.requests.length <= LOOK_LIMIT, `${registry.requests.length} requests`);
});

test('many at once who look for the same and for other things cause one fetch of each manifest', async (t) => {
  const { registry, gateway, app } = await start(t);
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  gateway.signed.sign('corp/app', 'latest', multi.digest);
  const asked = [...randomDigests(20, 'others'), ...Array.from({ length: 20 }, () => child.digest)];
  const answers = await Promise.all(asked.map((digest) => request(app).get(`/manifests/${digest}`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...Array.from({ length: 20 }, () => 403), ...Array.from({ length: 20 }, () => 200)],
  );
  assert.equal(registry.count('manifest'), 2, 'the index, and the child');
});

test('an index that nobody signed does not lead to what it lists', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  registry.push('app', multi, '1');
  registry.push('app', image(), '2');
  gateway.signed.sign('corp/app', '2', image().digest);
  assert.equal((await refusal(`/manifests/${child.digest}`)).detail.reason, 'DIGEST_NOT_SIGNED');
  assert.equal((await refusal(`/blobs/${child.layers[0]}`)).detail.reason, 'NOT_ADMITTED');
  assert.equal(registry.count('blob'), 0);
});

test('an index that is signed in another repository does not lead to what it lists here', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  registry.push('app', multi, '1');
  registry.push('other', multi, '1');
  gateway.signed.sign('corp/other', '1', multi.digest);
  assert.equal((await refusal(`/manifests/${child.digest}`)).detail.reason, 'NOT_SIGNED');
  await refusal(`/blobs/${child.layers[0]}`);
  assert.equal(registry.requests.length, 0);
});

test('an index that only one of two required authorities signed does not lead to what it lists', async (t) => {
  const second = new SignedTargets('second');
  const { registry, gateway, refusal } = await start(t, {
    authorities: [second],
    rules: [{ images: '**', require: { kind: 'all', authorities: ['signer', 'second'] } }],
  });
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  second.sign('corp/app', '1', image().digest);
  await refusal(`/manifests/${child.digest}`);
  await refusal(`/blobs/${child.layers[0]}`);
});

test('an index that was withdrawn does not lead anywhere any more', async (t) => {
  const { registry, gateway, app, refusal } = await start(t);
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  await request(app).get(`/manifests/${child.digest}`).expect(200);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(HOUR);
  await refusal(`/manifests/${child.digest}`);
  await refusal(`/blobs/${child.layers[0]}`);
});

test('a child of another size than its index says is refused, and so are its blobs', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  const lying = {
    ...multi,
    bytes: Buffer.from(multi.bytes.toString().replace(`"size":${child.bytes.byteLength}`, '"size":7')),
  };
  const signed = { ...lying, digest: digestOf(lying.bytes) };
  registry.push('app', signed, '1');
  gateway.signed.sign('corp/app', '1', signed.digest);
  assert.equal((await refusal(`/manifests/${child.digest}`)).detail.reason, 'CONTENT_MISMATCH');
  assert.equal((await refusal(`/blobs/${child.layers[0]}`)).detail.reason, 'NOT_ADMITTED');
});

test('an index of another size than was signed does not lead to what it lists', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  gateway.signed.size = multi.bytes.byteLength + 1;
  await refusal(`/manifests/${child.digest}`);
  await refusal(`/blobs/${child.layers[0]}`);
});

test('other bytes in the place of a signed index lead nowhere', async (t) => {
  const { registry, gateway, refusal } = await start(t);
  const signed = index([image()]);
  registry.push('app', signed, '1');
  registry.push('app', multi, '2');
  gateway.signed.sign('corp/app', '1', signed.digest);
  registry.replace('app', signed.digest, multi.bytes);
  await refusal(`/manifests/${child.digest}`);
  await refusal(`/blobs/${child.layers[0]}`);
});

for (const [what, unsigned] of [
  ['unsafeAllowUnsigned', { unsafeAllowUnsigned: true, ...SIGNED }],
  ['mode warn', { mode: 'warn', require: { kind: 'all', authorities: ['signer', 'second'] } }],
] as const) {
  test(`the upstream's word for a tag under ${what} does not lead to a digest that another rule covers`, async (t) => {
    const { registry, gateway, refusal } = await start(t, {
      authorities: [new SignedTargets('second')],
      rules: [
        { images: 'corp/app:dev-*', ...unsigned },
        { images: 'corp/app', ...SIGNED },
      ],
    });
    registry.push('app', multi, 'dev-1');
    gateway.signed.sign('corp/app', 'dev-1', image().digest);
    await refusal(`/manifests/${child.digest}`);
    await refusal(`/blobs/${child.layers[0]}`);
  });
}

test('nothing is looked for where no rule covers the repository', async (t) => {
  const { registry, gateway, refusal } = await start(t, { rules: [{ images: 'corp/other', ...SIGNED }] });
  registry.push('app', multi, '1');
  gateway.signed.sign('corp/app', '1', multi.digest);
  for (const path of [`/manifests/${child.digest}`, `/blobs/${child.layers[0]}`]) {
    assert.equal((await refusal(path)).detail.reason, 'NO_RULE');
  }
  assert.equal(registry.requests.length + gateway.signed.listed, 0);
});
