import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry.ts';
import { TestGateway } from '../support/gateway.ts';
import { rawGet } from '../support/raw-request.ts';

/** As bytes on the wire: an HTTP client would tidy some of them up. */
const PATHS = [
  '/v2/corp%2fapp/manifests/1',
  '/v2/corp%2Fapp/manifests/1',
  '/v2/corp/..%2fother/manifests/1',
  '/v2/corp/%2e%2e/other/manifests/1',
  '/v2/corp/%2E./other/manifests/1',
  '/v2/corp/../other/manifests/1',
  '/v2/corp/./app/manifests/1',
  '/v2/corp/app/../../../etc/manifests/1',
  '/v2/corp/a%2eb/manifests/1',
  '/v2/corp/a%5cb/manifests/1',
  '/v2/corp/a\\b/manifests/1',
  '/v2/corp/..\\other/manifests/1',
  '/v2/corp/a%252fb/manifests/1',
  '/v2/corp/a%00/manifests/1',
  '/v2/corp/app%20/manifests/1',
  '/v2/corp/app%0d%0aX-Evil:%201/manifests/1',
  '/v2/corp/%c0%ae%c0%ae/other/manifests/1',
  '/v2/corp/%ff/manifests/1',
  '/v2/corp/a%/manifests/1',
  '/v2/corp/a%zz/manifests/1',
  '/v2/corp/caf\xc3\xa9/manifests/1',
  '/v2/corp/APP/manifests/1',
  '/v2/corp/app;v=1/manifests/1',
  '/v2/corp/app#/manifests/1',
  '/v2/corp/~root/manifests/1',
  '/v2/corp//app/manifests/1',
  '/v2//corp/app/manifests/1',
  '/v2/corp/app//manifests/1',
  `/v2/corp/${'a'.repeat(256)}/manifests/1`,
  '/v2/corp/app/manifests/..%2f..%2fetc',
  '/v2/corp/app/manifests/..',
  '/v2/corp/app/manifests/%2e%2e',
  '/v2/corp/app/manifests/.hidden',
  '/v2/corp/app/manifests/1%3fns=open',
  '/v2/corp/app/blobs/sha256:..%2f..%2fetc',
  `/v2/corp/app/blobs/sha256:${'A'.repeat(64)}`,
  `/v2/corp/app/blobs/sha256:${'a'.repeat(63)}`,
  `/v2/corp/app/blobs/md5:${'a'.repeat(32)}`,
  '/v2/corp/app/blobs/lock',
  '/v2/corp/app/blobs/uploads/',
  `/v2/corp/app/referrers/..%2f${'a'.repeat(64)}`,
  '/v2/corp/..%2fother/tags/list',
  '/v2/corp/app/tags/list?last=../../etc',
];

/** What no route leads to. */
const NOWHERE = [
  '/v2/../etc/passwd',
  '/../v2/corp/app/manifests/1',
  '/%76%32/corp/app/manifests/1',
  '/V2/corp/app/manifests/1x/y',
  '/v2/corp/app/manifests/',
  '/v2/corp/app/manifests/1/2',
  '/v2/corp/app/manifests/sha256:../../../etc/passwd',
  '/v2/_catalog',
  '/.git/config',
];

for (const [paths, status] of [
  [PATHS, 400],
  [NOWHERE, 404],
] as const) {
  for (const path of paths) {
    test(`${JSON.stringify(path.slice(0, 80))} is answered ${status}, and asks the upstream nothing`, async (t) => {
      const registry = await FakeRegistry.start(t);
      const rules = [{ images: '**', unsafeAllowUnsigned: true }];
      const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, rules });
      const answer = await rawGet(gateway.url, path);
      assert.equal(answer.status, status);
      assert.doesNotMatch(answer.text, /^x-evil:/im);
      assert.equal(registry.requests.length, 0);
    });
  }
}
