import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import request from 'supertest';
import { metadataHandler } from '../../publish/metadata-server.ts';
import { rawGet } from '../support/raw-request.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestRepository } from './support/repository.ts';

async function server(t: { after(close: () => unknown): void }) {
  const repo = await TestRepository.found(t);
  let healthy = true;
  const handler = metadataHandler(repo.folder, new RecordingLog(), () => healthy);
  const turn = (to: boolean) => {
    healthy = to;
  };
  return { repo, handler, turn };
}

test('versions are served for good, the timestamp to be asked for each time', async (t) => {
  const { repo, handler } = await server(t);
  for (const [path, cache] of [
    ['/1.root.json', /immutable/],
    ['/metadata/1.targets.json', /immutable/],
    ['/timestamp.json', /no-cache/],
  ] as const) {
    const { body, headers } = await request(handler).get(path).expect(200);
    assert.match(headers['cache-control'] ?? '', cache);
    const name = path.split('/').at(-1) ?? '';
    assert.deepEqual(body, JSON.parse(Buffer.from(await repo.folder.readMetadata(name)).toString()));
    const head = await request(handler).head(path).expect(200);
    assert.equal(head.headers['content-length'], headers['content-length']);
  }
});

for (const path of [
  '/',
  '/repository.json',
  '/keys/online/timestamp.pem',
  '/metadata/../repository.json',
  '/..%2frepository.json',
  '/metadata/%2e%2e/repository.json',
  '/staged/2.root.json',
  '/1.root.json/',
  '/01.root.json',
  '//1.root.json',
]) {
  test(`${path} is not served`, async (t) => {
    const { handler } = await server(t);
    const http = createServer(handler);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    t.after(() => http.close());
    const { status } = await rawGet(`http://127.0.0.1:${(http.address() as { port: number }).port}`, path);
    assert.equal(status, 404);
  });
}

for (const method of ['put', 'post', 'delete', 'patch'] as const) {
  test(`nothing is written over http: ${method}`, async (t) => {
    const { repo, handler } = await server(t);
    const before = await repo.folder.readMetadata('timestamp.json');
    const { headers } = await request(handler)[method]('/timestamp.json').expect(405);
    assert.equal(headers.allow, 'GET, HEAD');
    assert.deepEqual(await repo.folder.readMetadata('timestamp.json'), before);
  });
}

test('a version that is not there yet is a 404, by which clients know the end of the roots', async (t) => {
  const { handler } = await server(t);
  await request(handler).get('/2.root.json').expect(404);
});

test('healthz says whether clients can believe the timestamp', async (t) => {
  const { handler, turn } = await server(t);
  await request(handler).get('/healthz').expect(200, 'fresh\n');
  turn(false);
  await request(handler).get('/healthz').expect(503, 'not fresh\n');
});
