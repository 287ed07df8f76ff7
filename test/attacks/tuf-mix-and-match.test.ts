/** TUF specification 1.5.2, "mix-and-match attack": pieces that were each signed, but never belonged together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE, NOW, OTHER_IMAGE, outcomeOf, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

/** Two publications of one repository, the files of both. */
function twice(hashes: boolean) {
  const repository = new TufRepository({ now: NOW, consistent: false, hashes });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, OTHER_IMAGE, 'acme');
  repository.publish();
  const first = repository.stored();
  repository.sign('docker.io/other/app:1', IMAGE);
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  return { repository, first };
}

for (const hashes of [true, false]) {
  for (const role of ['snapshot', 'targets', 'acme']) {
    test(`the ${role} of another publication, ${hashes ? 'with' : 'without'} hashes: METADATA_MISMATCH`, async (t) => {
      const { repository, first } = twice(hashes);
      repository.files.set(`${role}.json`, first.get(`${role}.json`) ?? Buffer.alloc(0));
      const { judge } = await tufClient(t, repository, {
        root: repository.files.get('1.root.json') ?? Buffer.alloc(0),
      });
      assert.equal(outcomeOf(await judge('1.0')), 'METADATA_MISMATCH');
    });
  }
}

test('a file under the name of another role is refused as what it is not', async (t) => {
  const repository = new TufRepository({ now: NOW, hashes: false });
  const key = repository.role('targets').keys;
  repository.delegate('acme', { paths: ['docker.io/acme/*'], keys: key });
  repository.sign(TARGET, OTHER_IMAGE);
  repository.publish();
  // One key for both roles: only the version and where it is listed tell them apart.
  const { judge } = await tufClient(t, repository);
  repository.rotate('snapshot', repository.role('timestamp').keys);
  repository.publish();
  repository.files.set(repository.fileOf('snapshot'), repository.files.get('timestamp.json') ?? Buffer.alloc(0));
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
});

test('the metadata of another repository, whole and well signed: refused, and the own one goes on', async (t) => {
  const { judge, repository } = await tufClient(t);
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  const other = new TufRepository({ now: NOW });
  other.sign(TARGET, OTHER_IMAGE);
  other.publish();
  other.sign(TARGET, OTHER_IMAGE);
  other.publish();
  const own = repository.stored();
  repository.restore(other.stored());
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID');
  repository.restore(own);
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
});

for (const [lost, outcome] of [
  ['timestamp', 'NOT_SIGNED'],
  ['snapshot', 'METADATA_MISMATCH'],
  ['targets', 'METADATA_MISMATCH'],
] as const) {
  test(`a lost ${lost} file: ${outcome}, and once it is back all is as before`, async (t) => {
    const { judge, repository } = await tufClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    repository.sign(TARGET, IMAGE);
    repository.publish();
    const whole = repository.stored();
    repository.files.delete(repository.fileOf(lost));
    const finding = await judge('1.0');
    assert.equal(outcomeOf(finding), outcome);
    assert.match(JSON.stringify(finding), new RegExp(lost));
    repository.restore(whole);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  });
}

for (const role of ['snapshot', 'targets', 'acme']) {
  test(`one bad answer for ${role} does not outlive itself`, async (t) => {
    const repository = new TufRepository({ now: NOW });
    repository.delegate('acme', { paths: ['docker.io/acme/*'] });
    repository.sign(TARGET, IMAGE, 'acme');
    repository.publish();
    const { judge, fetch } = await tufClient(t, repository);
    const bad = Buffer.alloc(repository.files.get(repository.fileOf(role))?.byteLength ?? 0, ' ');
    fetch.answer = (name) => (name === repository.fileOf(role) ? { kind: 'found', bytes: bad } : undefined);
    assert.equal(outcomeOf(await judge('1.0')), 'METADATA_MISMATCH');
    fetch.answer = undefined;
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  });
}
