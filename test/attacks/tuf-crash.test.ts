/** kill -9 and a full disk at every step of a trust update: a crash loses work, never truth. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FaultyDisk } from '../support/faulty-disk.ts';
import {
  DAY,
  IMAGE,
  NOW,
  OTHER_IMAGE,
  outcomeOf,
  signedRepository,
  TARGET,
  type TufClient,
  tufClient,
} from '../support/tuf-client.ts';

/** More steps than any update takes; the loops below end at the first number that no step has. */
const STEPS_LIMIT = 80;

/** Three publications: the first is too old to come back to, the second was relied on, the third is under way. */
async function relied({ repository, judge }: TufClient) {
  const first = repository.stored();
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const second = repository.stored();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.sign('docker.io/acme/x:1', IMAGE, 'acme');
  repository.publish();
  return { first, second, third: repository.stored() };
}

test('a crash at any step of an update leaves the state before it or the one after it', async (t) => {
  const seen = new Set<string>();
  for (let step = 1; step <= STEPS_LIMIT; step += 1) {
    const client = await tufClient(t);
    const { first, second, third } = await relied(client);
    const disk = new FaultyDisk({ crashAt: step });
    const { judge } = await client.reopen({ disk });
    const finding = await judge('1.0');
    if (disk.steps.length < step) {
      assert.equal(outcomeOf(finding), 'vouched');
      assert.ok(step > 10, 'the steps were found');
      assert.deepEqual([...seen].sort(), ['METADATA_ROLLBACK', 'vouched'], 'both states were left by some step');
      return;
    }
    if (!disk.steps.at(-1)?.startsWith('remove')) assert.equal(outcomeOf(finding), 'TRUST_STATE_UNWRITABLE');
    for (const [publication, outcomes] of [
      [first, ['METADATA_ROLLBACK']],
      [second, ['vouched', 'METADATA_ROLLBACK']],
      [third, ['vouched']],
    ] as const) {
      client.repository.restore(publication);
      const { judge: restarted } = await client.reopen({ readOnly: true });
      const outcome = outcomeOf(await restarted('1.0'));
      assert.ok((outcomes as readonly string[]).includes(outcome), `${outcome} after ${disk.steps.at(-1)}`);
      if (publication === second) seen.add(outcome);
    }
    const { judge: mended, home } = await client.reopen();
    assert.equal(outcomeOf(await mended('1.0')), 'vouched');
    const files = await Promise.all(['trust', 'trust/org', 'floors'].map((folder) => readdir(join(home, folder))));
    const left = files.flat().filter((file) => /[.~]new$|~staging-/.test(file));
    assert.deepEqual(left, [], 'no half file stays once there is an update');
  }
  assert.fail('an update takes more steps than expected');
});

test('a crash at any step of the very first update leaves nothing, or all of it', async (t) => {
  for (let step = 1; step <= STEPS_LIMIT; step += 1) {
    const disk = new FaultyDisk({ crashAt: step });
    const client = await tufClient(t, signedRepository(), { disk });
    const finding = await client.judge('1.0');
    if (disk.steps.length < step) {
      assert.equal(outcomeOf(finding), 'vouched');
      assert.ok(step > 5, 'the steps were found');
      return;
    }
    assert.equal(outcomeOf(finding), 'TRUST_STATE_UNWRITABLE');
    const { judge } = await client.reopen({ disk: new FaultyDisk() });
    assert.equal(outcomeOf(await judge('1.0')), 'vouched', `after ${disk.steps.at(-1)}`);
  }
  assert.fail('an update takes more steps than expected');
});

test('a state that a crash left unconfirmed is confirmed before it is relied on', async (t) => {
  const client = await tufClient(t);
  const { second } = await relied(client);
  const { judge } = await client.reopen({ disk: new FaultyDisk({ crashAt: 'write org~new' }) });
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_UNWRITABLE');
  const disk = new FaultyDisk({ failAt: 'write org~new' });
  const { judge: restarted } = await client.reopen({ disk });
  assert.equal(outcomeOf(await restarted('1.0')), 'TRUST_STATE_UNWRITABLE');
  assert.deepEqual(disk.steps, ['makeFolder floors', 'write org~new'], 'nothing else was tried');
  assert.equal(outcomeOf(await restarted('1.0')), 'vouched');
  client.repository.restore(second);
  assert.equal(outcomeOf(await restarted('1.0')), 'METADATA_ROLLBACK');
});

test('a full disk: TRUST_STATE_UNWRITABLE, until it can be written again', async (t) => {
  const { judge } = await tufClient(t, signedRepository(), { disk: new FaultyDisk({ failAt: 'write state' }) });
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_STATE_UNWRITABLE');
  assert.equal(finding.outcome, 'undetermined');
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('with a full disk what needs no writing goes on, and only the time of the refresh is lost', async (t) => {
  const client = await tufClient(t);
  assert.equal(outcomeOf(await client.judge('1.0')), 'vouched');
  client.clock.advance(DAY);
  const { judge, log } = await client.reopen({ disk: new FaultyDisk({ failAt: 1 }) });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.deepEqual(
    log.at('warn').map(({ text }) => text),
    ['the time of the refresh could not be written'],
  );
});

for (const step of ['write state.new', 'rename state', 'write org~new', 'rename org', 'remove']) {
  test(`a process that is killed (-9) at "${step}" leaves a state that a restart can rely on`, async (t) => {
    const client = await tufClient(t);
    const { first, third } = await relied(client);
    const { home, repository } = client;
    const files = [...third].map(([name, bytes]) => [name, bytes.toString('base64')]);
    const root = repository.root().toString('base64');
    const told = join(home, 'told.json');
    await writeFile(told, JSON.stringify({ files, step, home, now: NOW.toISOString(), root }));
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/tuf-crash-child.ts'), told], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code, signal] = await once(child, 'exit');
    assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' });
    repository.restore(first);
    const { judge } = await client.reopen({ readOnly: true });
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
    repository.restore(third);
    const { judge: restarted } = await client.reopen();
    const finding = await restarted('1.0');
    assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
    assert.ok(!(await readdir(join(home, 'trust'))).some((name) => name.includes('~staging-')), 'no staging is left');
  });
}
