import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { test } from 'node:test';
import { type Disk, NODE_DISK } from '../../../trust/state/disk.ts';
import { NOW, notaryClient, outcomeOf } from '../../support/notary-client.ts';

/** The disk as a reader sees it beside a gateway that updates its state at the moment of the given read. */
function beside(update: (reads: number) => Promise<void>): Disk {
  let reads = 0;
  return {
    ...NODE_DISK,
    read: async (path) => {
      reads += 1;
      await update(reads);
      return await NODE_DISK.read(path);
    },
  };
}

test('a reader whose state is replaced while it reads begins again', async (t) => {
  const { judge, repository, reopen } = await notaryClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  for (const moment of [2, 3, 4, 5, 6, 7]) {
    const disk = beside(async (reads) => {
      if (reads !== moment) return;
      repository.publish(NOW);
      assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    });
    const { judge: reading } = await reopen({ readOnly: true, disk });
    assert.equal(outcomeOf(await reading('1.0')), 'vouched', `at read ${moment}`);
  }
});

test('a reader whose state is replaced again and again gives up', async (t) => {
  const { judge, repository, reopen } = await notaryClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const disk = beside(async (reads) => {
    if (reads % 2 === 0) return;
    repository.publish(NOW);
    await judge('1.0');
  });
  const { judge: reading } = await reopen({ readOnly: true, disk });
  assert.equal(outcomeOf(await reading('1.0')), 'TRUST_STATE_DAMAGED');
});

test('a folder that cannot be read is no empty one: TRUST_STATE_DAMAGED', async (t) => {
  for (const operation of ['read', 'list'] as const) {
    const denied = async () => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    };
    const { judge } = await notaryClient(t, undefined, { disk: { ...NODE_DISK, [operation]: denied } });
    assert.equal(outcomeOf(await judge('1.0')), 'TRUST_STATE_DAMAGED', operation);
  }
});

test('a state of a later format is refused rather than half understood', async (t) => {
  const { judge, folder, reopen } = await notaryClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const copy = `${folder}-later`;
  await cp(folder, copy, { recursive: true });
  const disk: Disk = {
    ...NODE_DISK,
    read: async (path) => {
      const bytes = await NODE_DISK.read(path);
      if (!path.endsWith('generation')) return bytes;
      const body = Buffer.from('{"format":2,"generation":1}\n');
      const { createHash } = await import('node:crypto');
      return Buffer.concat([Buffer.from(`${createHash('sha256').update(body).digest('hex')}\n`), body]);
    },
  };
  const { judge: later } = await reopen({ folder: copy, disk });
  const finding = await later('1.0');
  assert.equal(outcomeOf(finding), 'TRUST_STATE_DAMAGED');
  assert.match('message' in finding ? finding.message : '', /expected format 1, got 2/);
});
