/** trust.md 1.10, "Freshness": what is remembered was lost, cut, changed or put back to an older state. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import {
  DAY,
  GUN,
  NOW,
  notaryClient,
  OTHER_IMAGE,
  outcomeOf,
  SECOND,
  signedRepository,
} from '../support/notary-client.ts';
import { NotaryRepository } from '../support/notary-repository.ts';

/** The folder of the one repository that was judged, and what is in it. */
async function stateOf(folder: string) {
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  const files = new Map<string, Buffer>();
  for (const file of (await readdir(path)).sort()) files.set(file, await readFile(join(path, file)));
  return { path, files };
}

async function judgedOnce(t: TestContext) {
  const client = await notaryClient(t);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  const { path, files } = await stateOf(client.folder);
  assert.equal(files.size, 6, 'root, targets, snapshot, timestamp, state, generation');
  return { ...client, path, names: [...files.keys()] };
}

const damages: readonly (readonly [what: string, damage: (path: string) => Promise<void>])[] = [
  ['missing', (path) => rm(path)],
  ['cut in half', async (path) => truncate(path, Math.floor((await readFile(path)).byteLength / 2))],
  ['cut by a byte', async (path) => truncate(path, (await readFile(path)).byteLength - 1)],
  ['empty', (path) => truncate(path, 0)],
  ['full of zeros', async (path) => writeFile(path, Buffer.alloc((await readFile(path)).byteLength))],
  ['longer by a byte', (path) => writeFile(path, '\n', { flag: 'a' })],
  [
    'a folder',
    async (path) => {
      await rm(path);
      await mkdir(path);
    },
  ],
];

for (const [what, damage] of damages) {
  test(`any one file of the state is ${what}: TRUST_STATE_DAMAGED, and nothing is reset`, async (t) => {
    const { names, path, folder, fetch, reopen } = await judgedOnce(t);
    for (const name of names) {
      const whole = await mkdirCopy(path);
      await damage(join(path, name));
      const before = await readdir(path);
      for (const server of ['reachable', 'unreachable'] as const) {
        fetch.fault = server === 'reachable' ? undefined : new MetadataUnavailable('connection refused');
        const { judge } = await reopen();
        const finding = await judge('1.0');
        assert.equal(outcomeOf(finding), 'TRUST_STATE_DAMAGED', `${name}, ${server}`);
        assert.match('message' in finding ? finding.message : '', /remove that whole folder to begin anew/);
      }
      assert.deepEqual(await readdir(path), before);
      await rm(path, { recursive: true });
      await rename(whole, path);
    }
    fetch.fault = undefined;
    const { judge } = await reopen();
    assert.equal(outcomeOf(await judge('1.0')), 'vouched', 'mended');
    assert.equal((await readdir(folder)).length, 1);
  });
}

async function mkdirCopy(path: string): Promise<string> {
  const copy = `${path}.copy`;
  await cp(path, copy, { recursive: true });
  return copy;
}

test('a damaged state is found again at each question, and mended without a restart', async (t) => {
  const { path, reopen } = await judgedOnce(t);
  const state = await readFile(join(path, 'state'));
  await truncate(join(path, 'state'), 10);
  const { judge } = await reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED');
  await writeFile(join(path, 'state'), state);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('an older state that was put back, whole as it is, is refused: TRUST_STATE_DAMAGED', async (t) => {
  const { path, repository, judge, reopen } = await judgedOnce(t);
  const backup = await mkdirCopy(path);
  repository.sign('1.0', OTHER_IMAGE);
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  await cp(backup, path, { recursive: true, filter: (file) => !file.endsWith('generation') });
  const { judge: restarted } = await reopen();
  const finding = await restarted('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_STATE_DAMAGED');
  assert.match('message' in finding ? finding.message : '', /expected state 2 or later, got state 1/);
});

test('another state of the same number is refused: TRUST_STATE_DAMAGED', async (t) => {
  const { path, reopen } = await judgedOnce(t);
  const other = await notaryClient(t, signedRepository());
  await other.judge('1.0');
  const { path: otherPath } = await stateOf(other.folder);
  await cp(otherPath, path, { recursive: true, filter: (file) => !file.endsWith('generation') });
  const { judge } = await reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED');
});

test('the state of another repository in the place of this one is refused: TRUST_STATE_DAMAGED', async (t) => {
  const { path, reopen } = await judgedOnce(t);
  const repository = new NotaryRepository({ gun: `${GUN}/other`, now: NOW });
  repository.publish(NOW);
  const other = await notaryClient(t, repository, { gun: '{registry}/{repository}/other' });
  assert.equal(outcomeOf(await other.judge('1.0')), 'TAG_NOT_SIGNED');
  const { path: otherPath } = await stateOf(other.folder);
  await rm(path, { recursive: true });
  await cp(otherPath, path, { recursive: true });
  const { judge } = await reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED');
});

test('removing the whole folder begins anew, as the message of a damaged state says', async (t) => {
  const { path, repository, reopen } = await judgedOnce(t);
  const before = repository.stored();
  repository.publish(NOW);
  const { judge } = await reopen();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.restore(before);
  await rm(path, { recursive: true });
  const { judge: anew } = await reopen();
  assert.equal(outcomeOf(await anew('1.0')), 'vouched');
});

test('the time of the last refresh survives a restart; lost or cut it is understated, never overstated', async (t) => {
  const { path, clock, judge, fetch, reopen } = await judgedOnce(t);
  clock.advance(60 * SECOND);
  const refreshedAt = clock.now();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  fetch.fault = new MetadataUnavailable('connection refused');
  const timeAfter = async (damage: () => Promise<void>) => {
    await damage();
    const { judge: restarted } = await reopen();
    const finding = await restarted('1.0');
    return finding.outcome === 'vouched' ? finding.refreshedAt : finding;
  };
  assert.deepEqual(await timeAfter(async () => undefined), refreshedAt);
  assert.deepEqual(await timeAfter(() => truncate(join(path, 'refreshed'), 70)), NOW);
  assert.deepEqual(await timeAfter(() => rm(join(path, 'refreshed'))), NOW);
});

test('a repository whose name is made to climb out of the folder has no such folder', async (t) => {
  await assert.rejects(notaryClient(t, signedRepository(), { gun: '../{repository}' }), RangeError);
  await assert.rejects(notaryClient(t, signedRepository(), { gun: '{registry}//{repository}' }), RangeError);
  const repository = new NotaryRepository({ gun: 'docker.io:5000/..x/acme/app', now: NOW });
  await assert.rejects(notaryClient(t, repository, { gun: '{registry}:5000/..x/{repository}' }), RangeError);
  const { judge, folder } = await notaryClient(t);
  await judge('1.0');
  assert.match((await readdir(folder)).join(), /^docker\.io_acme_app-[0-9a-f]{32}$/);
});

test('what is remembered is not offered once it is older than asked for', async (t) => {
  const { clock, fetch, reopen } = await judgedOnce(t);
  fetch.fault = new MetadataUnavailable('connection refused');
  clock.advance(DAY);
  const { judge } = await reopen();
  assert.equal(outcomeOf(await judge('1.0', DAY)), 'vouched');
  assert.equal(outcomeOf(await judge('1.0', DAY - 1)), 'TRUST_STALE');
});
