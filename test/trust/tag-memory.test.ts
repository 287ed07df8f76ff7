import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { newest, type SignedTag, TagMemory, TagMemoryDamaged, TagMemoryUnwritable } from '../../trust/tag-memory.ts';

const [A, B] = [digestOf(Buffer.from('a')), digestOf(Buffer.from('b'))];
const at = (digest: SignedTag['digest'], minute: number): SignedTag => ({
  digest,
  signedAt: new Date(Date.UTC(2026, 10, 24, 12, minute)),
});
const IMAGE = 'corp/app:1';

test('what a tag may become: the same, or what was signed no earlier', () => {
  assert.deepEqual(newest(undefined, at(A, 1)), at(A, 1));
  assert.deepEqual(newest(at(A, 1), at(A, 1)), at(A, 1));
  assert.deepEqual(newest(at(A, 1), at(A, 0)), at(A, 1), 'an older signature of the same content');
  assert.deepEqual(newest(at(A, 1), at(A, 2)), at(A, 2));
  assert.deepEqual(newest(at(A, 1), at(B, 2)), at(B, 2));
  assert.deepEqual(newest(at(A, 1), at(B, 1)), at(B, 1));
  assert.equal(newest(at(A, 1), at(B, 0)), undefined);
});

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-tags-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a tag does not go back, after a restart neither, and other tags are their own', async (t) => {
  const folder = await folderOf(t);
  const memory = new TagMemory(join(folder, 'tags'), { readOnly: false });
  assert.equal(await memory.newerThan(IMAGE, at(A, 1)), undefined);
  assert.equal(await memory.newerThan(IMAGE, at(B, 2)), undefined);
  const restarted = new TagMemory(join(folder, 'tags'), { readOnly: false });
  assert.deepEqual(await restarted.newerThan(IMAGE, at(A, 1)), at(B, 2));
  assert.equal(await restarted.newerThan('corp/app:2', at(A, 1)), undefined);
  assert.equal(await restarted.newerThan(IMAGE, at(B, 0)), undefined);
});

test('what was refused changes nothing', async (t) => {
  const memory = new TagMemory(await folderOf(t), { readOnly: false });
  await memory.newerThan(IMAGE, at(B, 2));
  await memory.newerThan(IMAGE, at(A, 1));
  assert.deepEqual(await memory.newerThan(IMAGE, at(A, 1)), at(B, 2));
});

test('of many questions at once each sees what the one before it has learnt', async (t) => {
  const memory = new TagMemory(await folderOf(t), { readOnly: false });
  const answers = await Promise.all([
    memory.newerThan(IMAGE, at(B, 2)),
    memory.newerThan(IMAGE, at(A, 1)),
    memory.newerThan(IMAGE, at(B, 2)),
  ]);
  assert.deepEqual(answers, [undefined, at(B, 2), undefined]);
});

test('a second process reads and writes nothing', async (t) => {
  const folder = await folderOf(t);
  await new TagMemory(folder, { readOnly: false }).newerThan(IMAGE, at(A, 1));
  const beside = new TagMemory(folder, { readOnly: true });
  assert.deepEqual(await beside.newerThan(IMAGE, at(B, 0)), at(A, 1));
  assert.equal(await beside.newerThan(IMAGE, at(B, 2)), undefined);
  assert.equal(await beside.newerThan(IMAGE, at(B, 1)), undefined, 'the newer one was not written');
});

test('a record that is damaged, or of another tag, is never taken for none', async (t) => {
  const folder = await folderOf(t);
  const memory = new TagMemory(folder, { readOnly: false });
  await memory.newerThan(IMAGE, at(A, 1));
  const [name = ''] = await readdir(folder);
  const good = await readFile(join(folder, name), 'utf8');
  const damaged = [
    '',
    good.slice(0, -1),
    '{}',
    'null',
    good.replace('corp/app:1', 'corp/app:2'),
    good.replace('2026', 'x'),
  ];
  for (const text of [...damaged, good.replace('sha256:', 'sha256-')]) {
    await writeFile(join(folder, name), text);
    await assert.rejects(memory.newerThan(IMAGE, at(B, 2)), TagMemoryDamaged, text);
  }
  await writeFile(join(folder, name), good);
  assert.equal(await memory.newerThan(IMAGE, at(B, 2)), undefined);
});

test('what cannot be written is not relied on', async (t) => {
  const folder = await folderOf(t);
  const memory = new TagMemory(folder, { readOnly: false });
  await memory.newerThan(IMAGE, at(A, 1));
  const [name = ''] = await readdir(folder);
  await mkdir(join(folder, `${name}.new`));
  await assert.rejects(memory.newerThan(IMAGE, at(B, 2)), TagMemoryUnwritable);
  assert.equal(await memory.newerThan(IMAGE, at(A, 1)), undefined, 'what needs no writing is still good');
});

test('a write that was cut short leaves what was there', async (t) => {
  const folder = await folderOf(t);
  const memory = new TagMemory(folder, { readOnly: false });
  await memory.newerThan(IMAGE, at(B, 2));
  const [name = ''] = await readdir(folder);
  await writeFile(join(folder, `${name}.new`), '{"ima');
  assert.deepEqual(await new TagMemory(folder, { readOnly: false }).newerThan(IMAGE, at(A, 1)), at(B, 2));
});
