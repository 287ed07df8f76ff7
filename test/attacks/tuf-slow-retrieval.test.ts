/** TUF specification 1.5.2, "slow retrieval attack": a source that never says no and never gets done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, NOW, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

function delegated(count: number): TufRepository {
  const repository = new TufRepository({ now: NOW });
  for (let at = 0; at < count; at += 1) repository.delegate(`role${at}`, { paths: [`docker.io/acme${at}/*`] });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  return repository;
}

for (const name of ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json', '1.acme.json']) {
  test(`a source that holds ${name} back: the pull is told TRUST_UNREACHABLE within the budget`, async (t) => {
    const repository = delegated(0);
    const { judge, fetch } = await tufClient(t, repository, { budget: 50 });
    const held = Promise.withResolvers<void>();
    const get = fetch.get.bind(fetch);
    fetch.get = async (url, limit) => {
      if (url.endsWith(`/${name}`)) await held.promise;
      return await get(url, limit);
    };
    const finding = await judge('1.0');
    assert.equal(outcomeOf(finding), 'TRUST_UNREACHABLE');
    assert.equal(finding.outcome, 'undetermined');
    held.resolve();
  });
}

test('what is remembered serves while the source is slow', async (t) => {
  const { judge, fetch } = await tufClient(t, delegated(0), { budget: 50 });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const held = Promise.withResolvers<void>();
  fetch.held = held.promise;
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  held.resolve();
});

test('a refresh that is out of time keeps what it has got, so that many roles are got in the end', async (t) => {
  const { judge, fetch, clock } = await tufClient(t, delegated(60), { budget: 200 });
  const held = Promise.withResolvers<void>();
  let answers = 0;
  const get = fetch.get.bind(fetch);
  fetch.get = async (url, limit) => {
    if (/role|acme/.test(url)) answers += 1;
    if (answers > 30) await held.promise;
    return await get(url, limit);
  };
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_UNREACHABLE');
  answers = Number.NEGATIVE_INFINITY;
  fetch.requests.length = 0;
  clock.advance(60_000);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const again = fetch.requests.filter((name) => /role|acme/.test(name)).length;
  held.resolve();
  assert.ok(again <= 31, `${again} of 61 roles were asked for again`);
});

test('many questions at once wait for one refresh', async (t) => {
  const { judge, fetch } = await tufClient(t, delegated(3));
  const held = Promise.withResolvers<void>();
  fetch.held = held.promise;
  const questions = Array.from({ length: 50 }, () => judge('1.0'));
  held.resolve();
  for (const finding of await Promise.all(questions)) assert.equal(outcomeOf(finding), 'vouched');
  assert.equal(fetch.requests.filter((name) => name === 'timestamp.json').length, 1);
});
