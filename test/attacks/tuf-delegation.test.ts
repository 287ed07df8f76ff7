/** TUF specification 5.6.7: who comes first has the word, and a role that cannot be used is not passed over. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MetadataUnavailable } from '../../trust/fetch-metadata.ts';
import { IMAGE, imageOf, NOW, OTHER_IMAGE, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository, testKey } from '../support/tuf-repository.ts';

const ACME = { paths: ['docker.io/acme/*'] };

/** `first` before `second`, both for acme; the target is in the second. */
function pair(options: { terminating?: boolean } = {}): TufRepository {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('first', { ...ACME, ...options });
  repository.delegate('second', ACME);
  repository.sign(TARGET, IMAGE, 'second');
  repository.sign('docker.io/library/alpine:3', IMAGE);
  repository.publish();
  return repository;
}

interface Case {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: TufRepository): void;
}

const FAULTS: readonly Case[] = [
  { cause: 'nothing is wrong with it', outcome: 'vouched', bend: () => undefined },
  {
    cause: 'its file is missing',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => void repository.files.delete(repository.fileOf('first')),
  },
  {
    cause: 'the snapshot does not list it',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) =>
      repository.edit('snapshot', ({ meta }) => {
        delete meta['first.json'];
      }),
  },
  {
    cause: 'it has expired',
    outcome: 'METADATA_EXPIRED',
    bend: (repository) =>
      repository.edit('first', (part) => {
        part.expires = '2020-01-01T00:00:00Z';
      }),
  },
  {
    cause: 'a stranger signed it',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) => {
      repository.write('first', [testKey()]);
      repository.publishSnapshot();
    },
  },
  {
    cause: 'its file is another one',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) => void repository.files.set(repository.fileOf('first'), Buffer.from('{}')),
  },
  {
    cause: 'it is no metadata',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      repository.files.set(repository.fileOf('first'), Buffer.from('{"signed":{},"signatures":[]}'));
      repository.publishSnapshot();
    },
  },
  {
    cause: 'it has another version than the snapshot says',
    outcome: 'METADATA_MISMATCH',
    bend: (repository) =>
      repository.edit('snapshot', ({ meta }) => {
        meta['first.json'] = { version: 9 };
        repository.files.set('9.first.json', repository.files.get(repository.fileOf('first')) ?? Buffer.alloc(0));
      }),
  },
];

for (const { cause, outcome, bend } of FAULTS) {
  test(`a role that comes first, and ${cause}: ${outcome} for what it covers; other images are not touched`, async (t) => {
    const repository = pair();
    bend(repository);
    const { judge, reopen, log, authority } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
    const isTrusted = Object.hasOwn(authority.status().trust[0]?.versions ?? {}, 'first');
    assert.equal(
      isTrusted,
      outcome === 'vouched' || outcome === 'METADATA_EXPIRED',
      'in the status only where it counts',
    );
    assert.equal(outcomeOf(await judge(IMAGE.digest)), outcome);
    assert.equal(outcomeOf(await judge('3', { repository: 'library/alpine' })), 'vouched');
    const { judge: restarted } = await reopen();
    assert.equal(outcomeOf(await restarted('1.0')), outcome);
    assert.equal(outcomeOf(await restarted('3', { repository: 'library/alpine' })), 'vouched');
    const isSaid = log.at('warn').some(({ text }) => text.startsWith('a delegated role cannot be used'));
    assert.equal(isSaid, outcome !== 'vouched' && outcome !== 'METADATA_EXPIRED');
  });
}

test('a role that was missing is taken as soon as it is there, though nothing else has changed', async (t) => {
  const repository = pair();
  const whole = repository.stored();
  repository.files.delete(repository.fileOf('first'));
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_MISMATCH');
  repository.restore(whole);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('a source that breaks down on a role is an outage, not a fault of the role', async (t) => {
  const { judge, fetch } = await tufClient(t, pair());
  fetch.answer = (name) => {
    if (name === '1.first.json') throw new MetadataUnavailable('connection reset');
    return undefined;
  };
  assert.equal(outcomeOf(await judge('3', { repository: 'library/alpine' })), 'TRUST_UNREACHABLE');
});

test('the word of the first role stands, by tag and digest', async (t) => {
  const repository = pair();
  repository.sign(TARGET, OTHER_IMAGE, 'first');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED', 'shadowed by the first role');
});

test('the word of targets stands before that of any delegation', async (t) => {
  const repository = pair();
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  const { judge } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
});

test('behind a terminating role nobody is asked', async (t) => {
  const { judge } = await tufClient(t, pair({ terminating: true }));
  assert.equal(outcomeOf(await judge('1.0')), 'TAG_NOT_SIGNED');
  assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
});

test('a terminating role below another ends the whole search', async (t) => {
  const repository = pair();
  repository.delegate('below', { ...ACME, from: 'first', terminating: true });
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'TAG_NOT_SIGNED');
});

test('depth comes before breadth', async (t) => {
  const repository = pair();
  repository.delegate('below', { ...ACME, from: 'first' });
  repository.sign(TARGET, OTHER_IMAGE, 'below');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, OTHER_IMAGE.digest);
  assert.match(JSON.stringify(finding), /targets → first → below says/);
});

test('names that are numbers keep the order in which they were written', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('10', ACME);
  repository.delegate('2', ACME);
  repository.sign(TARGET, IMAGE, '10');
  repository.sign(TARGET, OTHER_IMAGE, '2');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
});

test('roles that delegate to each other in a circle end a search, not the program', async (t) => {
  const repository = pair();
  repository.delegate('second', { ...ACME, from: 'first', keys: repository.role('second').keys });
  repository.delegate('first', { ...ACME, from: 'second', keys: repository.role('first').keys });
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge('9.9')), 'TAG_NOT_SIGNED');
});

test('one role under two delegators is good only for the one whose keys signed it', async (t) => {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('left', { paths: ['docker.io/acme/*'] });
  repository.delegate('right', { paths: ['docker.io/other/*'] });
  repository.delegate('shared', { paths: ['docker.io/*/*'], from: 'left' });
  repository.delegate('shared', { paths: ['docker.io/*/*'], from: 'right', keys: [testKey()] });
  repository.sign(TARGET, IMAGE, 'shared');
  repository.sign('docker.io/other/app:1.0', IMAGE, 'shared');
  repository.publish();
  const { judge, reopen } = await tufClient(t, repository);
  for (const ask of [judge, (await reopen()).judge]) {
    assert.equal(outcomeOf(await ask('1.0')), 'vouched');
    assert.equal(outcomeOf(await ask('1.0', { repository: 'other/app' })), 'SIGNATURE_INVALID');
  }
});

test('delegations that go deeper than anybody needs are refused where they do', async (t) => {
  const repository = new TufRepository({ now: NOW });
  for (let depth = 1; depth <= 17; depth += 1) {
    repository.delegate(`d${depth}`, { ...ACME, from: depth === 1 ? 'targets' : `d${depth - 1}` });
  }
  repository.sign(TARGET, IMAGE, 'd16');
  repository.sign('docker.io/acme/app:2.0', imageOf('deep'), 'd17');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge('2.0')), 'METADATA_INVALID');
});

for (const pattern of [
  'docker.io/{acme,other}/*',
  'docker.io/acme/!(app)*',
  '!docker.io/*/*',
  'docker.io/acme/[^a]*',
  'docker.io/acme/a[b',
  'docker.io\\acme',
]) {
  test(`the pattern ${pattern}, which clients read differently, is refused`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    repository.delegate('acme', { paths: [pattern] });
    repository.sign(TARGET, IMAGE);
    repository.publish();
    const { judge } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
  });
}

for (const name of ['../../escape', 'a/b', 'a b', '.', '..', 'timestamp.json/..', '%2e%2e', 'ä', 'release?x=1#y']) {
  test(`a role called ${JSON.stringify(name)} is one file, in the folder of the others`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    repository.delegate(name, ACME);
    repository.sign(TARGET, IMAGE, name);
    repository.publish();
    const { judge, fetch, reopen } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    assert.ok(fetch.requests.every((file) => !file.includes('/') && !file.includes('?') && !file.includes('#')));
    assert.equal(outcomeOf(await (await reopen()).judge('1.0')), 'vouched');
  });
}

for (const name of ['root', 'snapshot', 'targets', 'timestamp', '', 'line\nbreak', 'x'.repeat(201)]) {
  test(`a delegation to ${JSON.stringify(name.slice(0, 20))} is refused`, async (t) => {
    const repository = pair();
    repository.edit('targets', ({ delegations }) => {
      delegations.roles[0].name = name;
    });
    const { judge } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
  });
}

test('hash prefixes: the role is asked for the paths whose hash begins so', async (t) => {
  const prefix = createHash('sha256').update(TARGET).digest('hex').slice(0, 3);
  const repository = new TufRepository({ now: NOW });
  repository.delegate('bin', { path_hash_prefixes: [prefix] });
  repository.sign(TARGET, IMAGE, 'bin');
  repository.sign('docker.io/acme/app:2.0', IMAGE, 'bin');
  repository.publish();
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge('2.0')), 'TAG_NOT_SIGNED', 'another hash');
});

for (const bits of [1, 4, 5, 8]) {
  test(`2^${bits} hash bins of TAP 15: each path in its own bin only`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    const bins = repository.delegateBins('bin', bits);
    const index = createHash('sha256').update(TARGET).digest().readUInt32BE() >>> (32 - bits);
    const [own = '', wrong = ''] = [bins[index], bins[(index + 1) % bins.length]];
    repository.sign(TARGET, IMAGE, own);
    repository.publish();
    const { judge } = await tufClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    repository.withdraw(TARGET, own);
    repository.sign(TARGET, IMAGE, wrong);
    repository.publish();
    assert.equal(outcomeOf(await judge('1.0')), 'TAG_NOT_SIGNED');
    assert.equal(outcomeOf(await judge(IMAGE.digest)), 'DIGEST_NOT_SIGNED');
  });
}
