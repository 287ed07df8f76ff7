import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { NotaryAuthority, type NotaryAuthorityOptions } from '../../../trust/notary/authority.ts';
import { FaultyDisk } from '../../support/faulty-disk.ts';
import {
  DAY,
  GUN,
  IMAGE,
  NOW,
  notaryClient,
  OTHER_IMAGE,
  outcomeOf,
  signedRepository,
} from '../../support/notary-client.ts';
import { NotaryFetch } from '../../support/notary-fetch.ts';
import { NotaryRepository } from '../../support/notary-repository.ts';
import { RecordingLog } from '../../support/recording-log.ts';

test('a tag that is vouched for comes with its digest, its size, and until when', async (t) => {
  const repository = signedRepository();
  repository.publish(NOW, { timestamp: new Date(NOW.getTime() + DAY) });
  const { judge } = await notaryClient(t, repository);
  const { evidence, ...finding } = await judge('1.0');
  assert.ok(finding.outcome === 'vouched');
  assert.match(finding.stateVersion, /^1\.2-[0-9a-f]{16}$/);
  assert.deepEqual(finding, {
    outcome: 'vouched',
    digest: IMAGE.digest,
    size: IMAGE.size,
    refreshedAt: NOW,
    validUntil: new Date(NOW.getTime() + DAY),
    stateVersion: finding.stateVersion,
  });
  assert.ok(evidence.length > 0);
});

test('a delegation that the answer rests on limits until when it is good, and one that it does not rest on does not', async (t) => {
  const repository = signedRepository();
  for (const role of ['targets/releases', 'targets/alice', 'targets/bob']) {
    repository.delegate(role);
    repository.sign('1.0', IMAGE, role);
  }
  const inDays = (days: number) => new Date(NOW.getTime() + days * DAY);
  repository.publish(NOW, { 'targets/bob': inDays(1), 'targets/alice': inDays(2), 'targets/releases': inDays(3) });
  for (const [signers, days] of [
    [[], 3],
    [['alice'], 2],
  ] as const) {
    const { judge } = await notaryClient(t, repository, { signers });
    const finding = await judge('1.0');
    assert.deepEqual(finding.outcome === 'vouched' && finding.validUntil, inDays(days));
  }
});

test('the evidence goes from the root to the tag, with versions, keys and dates', async (t) => {
  const repository = signedRepository();
  for (const role of ['targets/releases', 'targets/alice']) {
    repository.delegate(role);
    repository.sign('1.0', IMAGE, role);
  }
  repository.publish(NOW);
  const { judge } = await notaryClient(t, repository);
  const { evidence } = await judge('1.0');
  assert.deepEqual(
    evidence.map(({ ok, text }) => `${ok ? '+' : '-'} ${text}`),
    [
      `+ root 1 is signed by ${GUN}, good until 2036-05-29`,
      '+ timestamp 2 is signed by 1 of its keys, good until 2026-06-15',
      '+ snapshot 2 is signed by 1 of its keys, good until 2029-05-31',
      '+ targets 2 is signed by 1 of its keys, good until 2029-05-31',
      '+ targets/releases 1 is signed by 1 of its keys, good until 2029-05-31',
      `+ targets/releases says that tag 1.0 is ${IMAGE.digest}`,
    ],
  );
  const [root] = evidence;
  assert.deepEqual(
    { ...root?.facts, canonicalKeys: [] },
    {
      role: 'root',
      version: 1,
      gun: GUN,
      pin: 'rootKeys',
      keys: [repository.rootKeyId],
      canonicalKeys: [],
      commonNames: [GUN],
      certifiedUntil: '2036-05-29T12:00:00.000Z',
      expires: '2036-05-29T12:00:00.000Z',
    },
  );
  const facts = evidence.at(-1)?.facts;
  assert.deepEqual(facts?.signers, ['targets/alice']);
});

test('the evidence of a refusal ends with the fault, after what was found good', async (t) => {
  const { judge, repository } = await notaryClient(t);
  repository.edit('snapshot', (part) => {
    part._type = 'Other';
  });
  const { evidence } = await judge('1.0');
  assert.deepEqual(
    evidence.map(({ ok, text }) => `${ok ? '+' : '-'} ${text}`),
    [
      `+ root 1 is signed by ${GUN}, good until 2036-05-29`,
      '+ timestamp 2 is signed by 1 of its keys, good until 2026-06-15',
      '- snapshot: expected metadata of type Snapshot, got "Other"',
    ],
  );
});

test('a role that was passed over is in the evidence, and in the log, once', async (t) => {
  const repository = signedRepository();
  repository.delegate('targets/releases');
  repository.sign('1.0', OTHER_IMAGE, 'targets/releases');
  repository.publish(NOW);
  repository.tamper('targets/releases', (envelope) => {
    envelope.signatures = [];
  });
  const { judge, log } = await notaryClient(t, repository);
  for (let pull = 0; pull < 2; pull += 1) {
    const { evidence } = await judge('1.0');
    const text = 'passed over: targets/releases: expected valid signatures of 1 of 1 keys, got 0';
    assert.ok(evidence.some((step) => !step.ok && step.text === text));
    repository.publish(NOW);
  }
  assert.equal(log.at('warn').filter(({ text }) => text.startsWith('delegation passed over')).length, 1);
});

test('the state version changes with every new timestamp, and with nothing else', async (t) => {
  const { judge, repository, reopen } = await notaryClient(t);
  const version = async () => {
    const finding = await judge('1.0');
    return finding.outcome === 'vouched' && finding.stateVersion;
  };
  const first = await version();
  assert.equal(await version(), first);
  const { judge: restarted } = await reopen();
  const again = await restarted('1.0');
  assert.equal(again.outcome === 'vouched' && again.stateVersion, first);
  repository.publish(NOW);
  assert.notEqual(await version(), first);
});

test('files are asked for where Notary v1 has them', async (t) => {
  const repository = new NotaryRepository({ gun: 'mirror/docker.io/acme/app', now: NOW });
  repository.publish(NOW);
  const options = { server: 'https://notary.example:4443/base/', gun: 'mirror/{registry}/{repository}' };
  const { judge, fetch } = await notaryClient(t, repository, options);
  await judge('1.0');
  const base = 'https://notary.example:4443/base/v2/mirror/docker.io/acme/app/_trust/tuf/';
  assert.deepEqual(fetch.urls.slice(0, 2), [`${base}root.json`, `${base}timestamp.json`]);
  assert.match(fetch.urls[2]?.slice(base.length) ?? '', /^snapshot\.[0-9a-f]{64}\.json$/);
  assert.match(fetch.urls[3]?.slice(base.length) ?? '', /^targets\.[0-9a-f]{64}\.json$/);
});

test('the port of a registry stays a port in the path', async (t) => {
  const { authority, fetch } = await notaryClient(t);
  const name = { upstream: parseUpstreamName('corp:5000'), repository: parseRepositoryName('a') };
  await authority.judge({ name, reference: parseReference('1'), now: NOW, maxAge: DAY });
  assert.equal(fetch.urls[0], 'https://notary.example/v2/corp:5000/a/_trust/tuf/root.json');
});

test('where it may only read it writes nothing, and still never goes below what it has seen', async (t) => {
  const disk = new FaultyDisk();
  const { judge, repository, reopen } = await notaryClient(t, signedRepository(), { readOnly: true, disk });
  const before = repository.stored();
  repository.publish(NOW);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  repository.restore(before);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_ROLLBACK');
  assert.deepEqual(disk.steps, []);
  const { judge: another } = await reopen();
  assert.equal(outcomeOf(await another('1.0')), 'vouched', 'nothing was remembered');
});

test('state is kept for its owner alone, one folder a repository', async (t) => {
  const { judge, authority, folder } = await notaryClient(t);
  await judge('1.0');
  const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/other') };
  await authority.judge({ name, reference: parseReference('1.0'), now: NOW, maxAge: DAY });
  assert.equal((await readdir(folder)).length, 1, 'what was not trusted leaves no trace');
});

const mistakes: readonly (readonly [what: string, options: Partial<NotaryAuthorityOptions>, message: RegExp])[] = [
  ['no key to pin', { pin: { kind: 'rootKeys', ids: [] } }, /expected at least one root key ID/],
  [
    'a key ID that is none',
    { pin: { kind: 'rootKeys', ids: ['abc'] } },
    /expected a key ID of 64 hex digits, got "abc"/,
  ],
  ['a CA that is no certificate', { pin: { kind: 'ca', pem: 'hello' } }, /expected certificates in PEM form/],
  ['a signer that is none', { signers: ['Alice Smith'] }, /expected a signer such as alice/],
  ['a template that climbs', { gun: '../{repository}' }, /expected a gun such as/],
  ['a template without end', { gun: `${'a'.repeat(300)}/{repository}` }, /expected a gun such as/],
];

for (const [what, options, message] of mistakes) {
  test(`${what} is found at start`, async (t) => {
    await assert.rejects(notaryClient(t, signedRepository(), options), message);
  });
}

test('a pinned key ID may be written in capitals', async (t) => {
  const repository = signedRepository();
  const pin = { kind: 'rootKeys' as const, ids: [repository.rootKeyId.toUpperCase()] };
  const { judge } = await notaryClient(t, repository, { pin });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

test('the timer of its own does not keep a process alive, and ends with it', async (t) => {
  const { folder } = await notaryClient(t);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const authority = new NotaryAuthority({
    name: 'dct',
    server: 'https://notary.example',
    gun: '{registry}/{repository}',
    pin: { kind: 'tofu' },
    requireReleases: false,
    signers: [],
    refresh: 0,
    folder,
    readOnly: false,
    fetch: new NotaryFetch(signedRepository()),
    log: new RecordingLog(),
    now: () => NOW,
  });
  assert.equal(timers(), before);
  await authority.close();
});
