import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry.ts';
import { receive, TestGateway } from '../support/gateway.ts';

const PATHS = [
  '/v2/corp%2fapp/manifests/1',
  '/v2/corp/..%2fother/manifests/1',
  '/v2/corp/a%2eb/manifests/1',
  '/v2/corp/a%5cb/manifests/1',
  '/v2/corp/a%252fb/manifests/1',
  '/v2/corp/a%00/manifests/1',
  '/v2/corp/app/manifests/..%2f..%2fetc',
  '/v2/corp/app/blobs/sha256:..%2f..%2fetc',
  '/v2/corp//app/manifests/1',
];

for (const path of PATHS) {
  test(`${path} is refused as no name, and asks the upstream nothing`, async (t) => {
    const registry = await FakeRegistry.start(t);
    const rules = [{ images: '**', unsafeAllowUnsigned: true }];
    const gateway = await TestGateway.start(t, { upstreams: { corp: registry }, rules });
    const { status } = await receive(`${gateway.url}${path}`);
    assert.equal(status, 400);
    assert.equal(registry.requests.length, 0);
  });
}
