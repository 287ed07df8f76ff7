import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import { digestOf } from '../../oci/digest.ts';
import { diskWith, systemError } from '../cache/support/faulty-disk.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { receive, TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { told } from '../support/told.ts';

const LAYER = Buffer.from('0123456789');
const app = image({ layers: [LAYER] });
const [DIGEST] = app.layers;
const BLOB = `/v2/corp/app/blobs/${DIGEST}`;

async function start(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const registry = await FakeRegistry.start(t);
  const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, ...options });
  registry.push('app', app, '1');
  gateway.signed.sign('corp/app', '1', app.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  const blob = (headers: Record<string, string> = {}) => receive(`${gateway.url}${BLOB}`, headers);
  return { registry, gateway, blob };
}

const COMMON = {
  'content-type': 'application/octet-stream',
  'docker-content-digest': DIGEST,
  'accept-ranges': 'bytes',
  etag: `"${DIGEST}"`,
  'cache-control': 'private, max-age=31536000, immutable',
  'oci-namespace': 'corp',
};

/** Uncached, while it is fetched, and from the disk. */
for (const cached of [false, true]) {
  for (const [asked, status, body, more] of [
    [{}, 200, '0123456789', { 'content-length': '10' }],
    [{ Range: 'bytes=2-4' }, 206, '234', { 'content-length': '3', 'content-range': 'bytes 2-4/10' }],
    [{ Range: 'bytes=7-' }, 206, '789', { 'content-length': '3', 'content-range': 'bytes 7-9/10' }],
    [{ Range: 'bytes=-1' }, 206, '9', { 'content-length': '1', 'content-range': 'bytes 9-9/10' }],
    [{ Range: 'bytes=0-1,3-4' }, 200, '0123456789', { 'content-length': '10' }],
    [{ Range: 'bytes=2-4', 'If-Range': `"${DIGEST}"` }, 206, '234', { 'content-range': 'bytes 2-4/10' }],
    [{ Range: 'bytes=2-4', 'If-Range': '"another"' }, 200, '0123456789', { 'content-length': '10' }],
    [{ Range: 'bytes=99-', 'If-Range': '"another"' }, 200, '0123456789', { 'content-length': '10' }],
    [{ Range: 'bytes=10-' }, 416, undefined, { 'content-range': 'bytes */10' }],
  ] as const) {
    test(`a blob ${cached ? 'on disk' : 'not here yet'}, asked for with ${JSON.stringify(asked).slice(0, 60)}: ${status}`, async (t) => {
      const { registry, blob } = await start(t);
      if (cached) await blob();
      const answer = await blob(asked);
      assert.equal(answer.status, status);
      for (const [name, value] of Object.entries(status === 416 ? more : { ...COMMON, ...more })) {
        assert.equal(answer.headers[name], value, name);
      }
      if (body === undefined) assert.equal(told(answer), '416 RANGE_INVALID');
      else assert.equal(answer.body.toString(), body);
      assert.equal(registry.count('blob'), cached || status !== 416 ? 1 : 0);
    });
  }
}

test('HEAD of a blob has the headers of the whole, and fetches nothing', async (t) => {
  const { registry, gateway } = await start(t);
  const { headers, status } = await request(gateway.url).head(BLOB).set('Range', 'bytes=2-4');
  assert.equal(status, 200);
  for (const [name, value] of Object.entries({ ...COMMON, 'content-length': '10' })) assert.equal(headers[name], value);
  assert.equal(registry.count('blob'), 0);
});

test('an upstream that does not know a listed blob has it unknown', async (t) => {
  const { registry, blob } = await start(t);
  registry.remove('app', digestOf(LAYER));
  assert.equal(told(await blob()), '404 BLOB_UNKNOWN');
  assert.equal(registry.count('blob'), 1, 'it is no trouble of our disk, and not asked for again');
});

test('content on disk of another size than the manifest lists is not what it lists', async (t) => {
  const { gateway, registry } = await start(t);
  const text = app.bytes.toString().replace('"size":10', '"size":11');
  const lying = Buffer.from(text);
  registry.push('app', { ...image(), bytes: lying, digest: digestOf(lying) }, 'lying');
  registry.pushBlob('app', LAYER);
  await request(gateway.url).get(BLOB).expect(200);
  gateway.signed.sign('corp/app', 'lying', digestOf(lying));
  await request(gateway.url).get('/v2/corp/app/manifests/lying').expect(200);
  assert.equal(told(await receive(`${gateway.url}${BLOB}`)), '403 DENIED CONTENT_MISMATCH');
});

test('a disk that takes nothing costs the cache, not the pull: what is served is checked all the same', async (t) => {
  const full = diskWith({ create: () => Promise.reject(systemError('ENOSPC')) });
  const { registry, gateway, blob } = await start(t, { disk: full });
  const whole = await blob();
  assert.deepEqual([whole.status, whole.body], [200, LAYER]);
  const part = await blob({ Range: 'bytes=2-4' });
  assert.deepEqual([part.status, part.body], [200, LAYER], 'the whole, where a part cannot be had');
  assert.equal(gateway.store.count, 0);
  for (const text of ['manifest not kept on disk', 'blob not kept on disk; served without']) {
    assert.ok(
      gateway.log.at('warn').some((line) => line.text === text),
      text,
    );
  }
  registry.spoil({ kind: 'blob' }, { tamper: 'last' });
  // Cut so early that there may be no answer at all.
  const spoilt = await blob().catch(() => undefined);
  assert.ok(spoilt === undefined || !spoilt.whole || spoilt.status !== 200);
  await request(gateway.url).get('/v2/corp/app/manifests/1').expect(200);
  assert.equal(registry.count('manifest'), 1, 'a manifest that is not on disk is in memory');
});

test('bytes that are found bad before the first of them left are a refusal with a reason', async (t) => {
  const { registry, gateway } = await start(t);
  const tiny = image({ layers: ['x'] });
  registry.push('app', tiny, 'tiny');
  gateway.signed.sign('corp/app', 'tiny', tiny.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/tiny').expect(200);
  registry.spoil({ kind: 'blob' }, { tamper: 'first' });
  const answer = await receive(`${gateway.url}/v2/corp/app/blobs/${tiny.layers[0]}`);
  assert.equal(told(answer), '403 DENIED CONTENT_MISMATCH', 'the only byte is the last, and held back');
});

test('behind the pull window a blob costs a verdict; of several images that list it, one that is admitted is enough', async (t) => {
  const { gateway, blob, registry } = await start(t);
  const second = image({ layers: [LAYER, 'of the second'] });
  registry.push('app', second, '2');
  gateway.signed.sign('corp/app', '2', second.digest);
  await request(gateway.url).get('/v2/corp/app/manifests/2').expect(200);
  const asked = gateway.signed.questions.length;
  await blob();
  assert.equal(gateway.signed.questions.length, asked, 'within the window it costs none');

  gateway.advance(900_000);
  gateway.signed.withdraw('corp/app', '2');
  assert.equal((await blob()).status, 200);
  assert.ok(gateway.signed.questions.length > asked);
  gateway.signed.withdraw('corp/app', '1');
  gateway.advance(1000);
  assert.equal(told(await blob()), '403 DENIED DIGEST_NOT_SIGNED');
  gateway.signed.unreachable = true;
  gateway.advance(1000);
  assert.equal(told(await blob()), '503 UNAVAILABLE TRUST_UNREACHABLE');
});
