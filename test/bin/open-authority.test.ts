import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchThrough, rootsEndingIn403 } from '../../bin/metadata-fetch.ts';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';

const BASE = 'https://bucket.example/metadata';

for (const [status, file, missing] of [
  [403, '2.root.json', true],
  [403, 'timestamp.json', false],
  [403, '2.snapshot.json', false],
  [403, '2.x.root.json', false],
  [401, '2.root.json', false],
] as const) {
  test(`status ${status} for ${file} of a TUF repository is ${missing ? 'the end of the roots' : 'an outage'}`, async () => {
    const client = {
      get: async () => {
        throw new UpstreamError('denied', `status ${status}`, { status });
      },
    };
    const asked = fetchThrough(rootsEndingIn403(client)).get(`${BASE}/${file}`, 1);
    if (missing) assert.deepEqual(await asked, { kind: 'missing' });
    else await assert.rejects(asked, MetadataUnavailable);
  });
}
