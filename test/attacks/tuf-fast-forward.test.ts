/**
 * TUF specification 1.5.2, "fast-forward attack", and its recovery, 5.3.11: who stole the keys of timestamp and snapshot raises their
 * versions to the highest there is. A root with other keys for them is believed again, from whatever version it begins.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { IMAGE, NOW, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

const HIGHEST = 2 ** 53 - 2;

function repositoryWithRole(): TufRepository {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  return repository;
}

/** What a thief of these keys can do that the next honest publication cannot outdo. */
function fastForward(repository: TufRepository, roles: readonly string[]): void {
  for (const role of roles) repository.part(role).version = HIGHEST;
  if (roles.includes('targets')) repository.write('targets');
  if (roles.includes('acme')) repository.write('acme');
  if (roles.includes('snapshot')) repository.part('snapshot').version = HIGHEST - 1;
  if (roles.includes('timestamp')) repository.part('timestamp').version = HIGHEST - 1;
  repository.publishSnapshot();
}

interface Case {
  readonly stolen: readonly string[];
  readonly rotated: readonly string[];
  readonly outcome: string;
}

const CASES: readonly Case[] = [
  { stolen: ['timestamp'], rotated: [], outcome: 'METADATA_ROLLBACK' },
  { stolen: ['timestamp'], rotated: ['timestamp'], outcome: 'vouched' },
  { stolen: ['timestamp', 'snapshot'], rotated: ['timestamp'], outcome: 'METADATA_ROLLBACK' },
  { stolen: ['timestamp', 'snapshot'], rotated: ['timestamp', 'snapshot'], outcome: 'vouched' },
  { stolen: ['snapshot'], rotated: ['snapshot'], outcome: 'vouched' },
  { stolen: ['timestamp', 'snapshot', 'targets'], rotated: ['timestamp', 'snapshot'], outcome: 'METADATA_ROLLBACK' },
  { stolen: ['timestamp', 'snapshot', 'targets'], rotated: ['timestamp', 'snapshot', 'targets'], outcome: 'vouched' },
  { stolen: ['timestamp', 'snapshot', 'acme'], rotated: ['timestamp', 'snapshot'], outcome: 'METADATA_ROLLBACK' },
  { stolen: ['timestamp', 'snapshot', 'acme'], rotated: ['timestamp', 'snapshot', 'acme'], outcome: 'vouched' },
];

for (const removed of [false, true]) {
  for (const { stolen, rotated, outcome } of CASES) {
    const after = removed ? ', after the state folder was removed' : '';
    test(`raised: ${stolen.join(', ')}; new keys: ${rotated.join(', ') || 'none'}${after}: ${outcome}`, async (t) => {
      const repository = repositoryWithRole();
      const versions = [...repository.signed].map(([role, { version }]) => [role, version] as const);
      const client = await tufClient(t, repository);
      fastForward(repository, stolen);
      assert.equal(outcomeOf(await client.judge('1.0')), 'vouched', 'the attack succeeds: they are the right keys');
      for (const [role, version] of versions) if (stolen.includes(role)) repository.part(role).version = version;
      for (const role of rotated) repository.rotate(role);
      repository.sign(TARGET, IMAGE, 'acme');
      repository.publish();
      if (removed) await rm(join(client.home, 'trust'), { recursive: true });
      const { judge } = removed ? await client.reopen() : client;
      assert.equal(outcomeOf(await judge('1.0')), outcome);
    });
  }
}

test('after the recovery the new versions are the lowest that are accepted', async (t) => {
  const repository = repositoryWithRole();
  const { judge } = await tufClient(t, repository);
  fastForward(repository, ['timestamp', 'snapshot']);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.part('timestamp').version = 10;
  repository.part('snapshot').version = 10;
  repository.rotate('timestamp');
  repository.rotate('snapshot');
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.part('timestamp').version = 5;
  repository.publishTimestamp();
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
});

test('a version that no number holds exactly is refused, not rounded', async (t) => {
  const repository = repositoryWithRole();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.edit('timestamp', (part) => {
    part.version = 2 ** 53;
  });
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
});
