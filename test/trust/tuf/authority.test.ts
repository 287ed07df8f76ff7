import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, OTHER_IMAGE, outcomeOf, TARGET, tufClient } from '../../support/tuf-client.ts';

test('a target is vouched for by tag and by digest', async (t) => {
  const { judge } = await tufClient(t);
  const f = await judge('1.0');
  assert.equal(outcomeOf(f), 'vouched', JSON.stringify(f, null, 1));
  console.log(JSON.stringify(f, null, 1));
  const g = await judge(IMAGE.digest);
  assert.equal(outcomeOf(g), 'vouched', JSON.stringify(g));
  assert.equal(outcomeOf(await judge(OTHER_IMAGE.digest)), 'DIGEST_NOT_SIGNED');
  assert.equal(outcomeOf(await judge('2.0')), 'TAG_NOT_SIGNED');
});
test('restart, update', async (t) => {
  const { judge, reopen, repository, fetch } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const before = repository.stored();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  const f = await judge('1.0');
  assert.equal(f.outcome === 'vouched' && f.digest, OTHER_IMAGE.digest);
  const again = await reopen();
  assert.equal(outcomeOf(await again.judge('1.0')), 'vouched');
  repository.restore(before);
  const h = await again.judge('1.0');
  assert.equal(outcomeOf(h), 'METADATA_ROLLBACK', JSON.stringify(h));
  console.log(fetch.requests);
});
