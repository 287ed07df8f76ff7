/** Two of three people hold the root; and what a gateway remembers of it outlives a restored or removed state folder. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Gateway } from './support/gateway.ts';
import { withFiles } from './support/moments.ts';
import { once } from './support/once.ts';
import { findTool } from './support/tool.ts';
import { until } from './support/until.ts';
import { VouchedStage } from './support/vouched-history.ts';
import { makeKey } from './support/vouching.ts';
import { Workspace } from './support/workspace.ts';

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

const workspace = await Workspace.open();
after(() => workspace.close());
const skip = findTool('docker-registry').missing ?? false;
const stage = once(() => VouchedStage.start(workspace));

/** Founded by one with the public keys of two others; then the targets key is replaced, by a file that goes round. */
const together = once(async () => {
  const here = await stage();
  const { 'acme/app:1': app } = await here.images();
  const [bob, carol] = await Promise.all([makeKey(workspace, 'bob'), makeKey(workspace, 'carol')]);
  const others = ['--root-key', bob.pub, '--root-key', carol.pub];
  const founder = await here.found('--root-keys', '1', ...others, '--root-threshold', '2');
  await founder.sign('1.root.json', '--key', bob.key);
  await founder.vouch('corp/acme/app:1');
  const before = await founder.moment();
  const waiting = await founder.tuf('rotate', 'targets', '--yes');
  const signedByOne = withFiles(before, { '2.root.json': await founder.read('staged', '2.root.json') });

  // Carol is sent the files, not the keys, and sends hers back.
  const carols = await (await founder.copy()).withoutKeys();
  await carols.sign('2.root.json', '--key', carol.key);
  await founder.sign('2.root.json', '--with', join(carols.folder, 'staged', '2.root.json'));
  await founder.vouch('corp/acme/app:next');
  return { app, root: founder.root, before, waiting, signedByOne, after: await founder.moment() };
});

test('a root that one of two has signed is not followed; signed by two, it is, without a restart', {
  skip,
}, async () => {
  const { moments, images } = await stage();
  const { app, root, before, waiting, signedByOne, after: rotated } = await together();
  assert.match(waiting, /Not published yet\. It lacks 1 more of the root keys of version 1/);
  const gate = await (await stage()).gateway([{ name: 'together' }], root);
  moments.show('together', before);
  assert.equal(await digestOf(gate, 'together/acme/app', '1'), app);
  moments.show('together', signedByOne);
  await until('the root to be refused', SEEN_LIMIT_MS, async () =>
    (await gate.manifest('together/acme/app', '1')).status === 403 ? true : undefined,
  );
  const denial = await gate.denial('together/acme/app:1');
  assert.equal(denial.reason, 'SIGNATURE_INVALID', denial.message);
  assert.match(denial.message, /root 2: expected valid signatures of 2 of 3 keys, got 1/);
  moments.show('together', rotated);
  // Only the new key has signed it.
  const { 'acme/app:next': next } = await images();
  await until('the new root to be followed', SEEN_LIMIT_MS, async () =>
    (await digestOf(gate, 'together/acme/app', 'next')) === next ? true : undefined,
  );
  assert.equal(await digestOf(gate, 'together/acme/app', '1'), app);
});

test('an older state folder restored: refused; removed, as the log line says: begun again, and never below what was seen', {
  skip,
}, async () => {
  const { moments } = await stage();
  const { app, root, before, after: rotated } = await together();
  const gate = await (await stage()).gateway([{ name: 'org' }, { name: 'beside' }], root);
  const folder = join(gate.data, 'trust', 'org');
  const backup = join(await workspace.folder('backup'), 'org');
  moments.show('beside', before);
  moments.show('org', before);
  assert.equal(await digestOf(gate, 'org/acme/app', '1'), app);
  await gate.stop();
  await cp(folder, backup, { recursive: true });
  await gate.restart();
  moments.show('org', rotated);
  await until('the new root to be seen', SEEN_LIMIT_MS, async () => await digestOf(gate, 'org/acme/app', 'next'));

  await gate.stop();
  await rm(folder, { recursive: true });
  await cp(backup, folder, { recursive: true });
  await gate.restart();
  for (const image of ['org/acme/app:1', `org/acme/app@${app}`]) {
    const denial = await gate.denial(image);
    assert.deepEqual([denial.status, denial.reason], [403, 'TRUST_STATE_DAMAGED'], denial.message);
  }
  assert.match(
    await gate.log(),
    /expected state \d+ or later, got state \d+, which is older\): remove that whole folder/,
  );
  assert.equal(await digestOf(gate, 'beside/acme/app', '1'), app, 'the other authority goes on');

  await gate.stop();
  await rm(folder, { recursive: true });
  moments.show('org', before);
  await gate.restart();
  const denial = await gate.denial('org/acme/app:1');
  assert.equal(denial.reason, 'METADATA_ROLLBACK', denial.message);
  assert.match(denial.message, /root: expected version 2 or later, which was seen before/);
  moments.show('org', rotated);
  await until('what was seen before to be admitted', SEEN_LIMIT_MS, async () =>
    (await digestOf(gate, 'org/acme/app', '1')) === app ? true : undefined,
  );
});

/** Undefined where it is denied. */
async function digestOf(gate: Gateway, name: string, tag: string): Promise<string | undefined> {
  const { status, headers } = await gate.manifest(name, tag, 'HEAD');
  return status === 200 ? String(headers['docker-content-digest']) : undefined;
}
