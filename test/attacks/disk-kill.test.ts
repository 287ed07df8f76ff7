import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Child } from '../cache/support/child.ts';
import { content, serving } from '../cache/support/content.ts';
import { filesIn, openStore } from '../cache/support/store.ts';
import { temporaryFolder } from '../cache/support/temporary-folder.ts';

const { bytes, digest, size } = content(1_000_000);

/** An upstream that sends so many bytes of the content and then nothing more, or, told so, the end. */
async function upstream(t: TestContext, sent: number, ends: boolean): Promise<string> {
  const server = createServer((_request, response) => {
    // No length: the client knows the end only when it is told.
    response.write(bytes.subarray(0, sent));
    if (ends) response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Whether the folder, opened again after the kill, has the content; it is whole and right then. */
async function survived(t: TestContext, folder: string): Promise<boolean> {
  const { store } = await openStore(t, { folder });
  assert.deepEqual(
    (await filesIn(folder)).filter((name) => name.startsWith('tmp')),
    [],
    'nothing unfinished is left',
  );
  const found = await store.readAll(digest, size);
  assert.equal(store.bytes, found === undefined ? 0 : size);
  if (found !== undefined) assert.deepEqual(found, bytes);
  await store.fill(digest, size, serving(bytes)).done;
  assert.deepEqual(await store.readAll(digest, size), bytes, 'it can be filled now');
  return found !== undefined;
}

for (const sent of [1, 1000, 500_000, size - 1, size]) {
  test(`kill -9 of a fill that received ${sent} of ${size} bytes keeps nothing of it`, async (t) => {
    const folder = await temporaryFolder(t);
    const child = Child.start(t, './fill-from-url.ts', [folder, await upstream(t, sent, false), digest, `${size}`]);
    // The reader is one byte behind when all were sent: the last is held back.
    const last = Math.min(sent, size - 1);
    while (Number(await child.line()) < last);
    assert.equal((await filesIn(folder)).length, 1, 'the fill is under way');
    await child.kill();
    assert.equal(await survived(t, folder), false);
  });
}

test('kill -9 after the reader has the last byte: the content is there, whole', async (t) => {
  const folder = await temporaryFolder(t);
  const child = Child.start(t, './fill-from-url.ts', [folder, await upstream(t, size, true), digest, `${size}`]);
  while (Number(await child.line()) < size);
  await child.kill();
  assert.equal(await survived(t, folder), true);
});

for (const seen of [1, 300_000, 900_000]) {
  test(`kill -9 somewhere in the last steps, after ${seen} bytes were seen: absent, or whole and right`, async (t) => {
    const folder = await temporaryFolder(t);
    const child = Child.start(t, './fill-from-url.ts', [folder, await upstream(t, size, true), digest, `${size}`]);
    while (Number(await child.line()) < seen);
    await child.kill();
    await survived(t, folder);
  });
}
