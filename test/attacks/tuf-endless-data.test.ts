/** TUF specification 1.5.2, "endless data attack", over real http: what is longer than it may be is not read to its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fetchThrough } from '../../bin/metadata-fetch.ts';
import { httpSource } from '../../trust/tuf/http-source.ts';
import { MetadataClient } from '../../upstream/metadata-client.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { DAY, IMAGE, NOW, outcomeOf, signedRepository, TARGET, tufClient } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

const MIB = 1024 * 1024;
/** As much as a hostile server is ready to send; far less may be taken from it. */
const ENDLESS = 256 * MIB;

/** Serves the repository over http, but for one file that goes on and on. */
async function endless(t: TestContext, repository: TufRepository, wanted: string) {
  const sent = { bytes: 0 };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice('/metadata/'.length);
    const bytes = repository.files.get(name);
    if (name !== wanted) {
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
      return;
    }
    const piece = Buffer.alloc(64 * 1024, ' ');
    const more = () => {
      while (sent.bytes < ENDLESS) {
        sent.bytes += piece.byteLength;
        if (!response.write(piece)) return;
      }
      response.end();
    };
    response.on('drain', more);
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata`;
  const client = new MetadataClient({
    url,
    credentials: { kind: 'anonymous' },
    log: new RecordingLog(),
    now: () => NOW,
  });
  t.after(() => client.close());
  return { source: httpSource(url, fetchThrough(client)), sent };
}

for (const hashes of [true, false]) {
  for (const name of ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json', '1.acme.json']) {
    test(`${name} that never ends, ${hashes ? 'with' : 'without'} lengths: METADATA_INVALID, and no more is read than it may have`, async (t) => {
      const repository = new TufRepository({ now: NOW, hashes });
      repository.delegate('acme', { paths: ['docker.io/acme/*'] });
      repository.sign(TARGET, IMAGE, 'acme');
      repository.publish();
      const { source, sent } = await endless(t, repository, name);
      const { judge } = await tufClient(t, repository, { source });
      assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
      assert.ok(sent.bytes < 64 * MIB, `${sent.bytes} bytes were taken`);
    });
  }
}

test('a length in the metadata that no honest file has is refused before it is asked for', async (t) => {
  const repository = signedRepository();
  repository.edit('snapshot', ({ meta }) => {
    meta['targets.json'].length = 10_000_000_000;
  });
  const { judge, fetch } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID');
  assert.ok(!fetch.requests.includes('1.targets.json'));
});

test('more roots than one walk of tuf-js takes are followed to the newest before anything is believed', async (t) => {
  const repository = signedRepository();
  const stolen = repository.role('targets').keys;
  for (let times = 0; times < 300; times += 1) repository.rotate('root', repository.role('root').keys);
  repository.rotate('targets');
  const { judge } = await tufClient(t, repository);
  assert.equal(outcomeOf(await judge('1.0')), 'SIGNATURE_INVALID', 'root 302 has taken the key out');
  repository.write('targets', stolen);
  repository.publish();
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
});

for (const [cause, change] of [
  [
    'nested a thousand deep',
    (text: string) => text.replace('"meta":{', `"x":${'['.repeat(1000)}${']'.repeat(1000)},"meta":{`),
  ],
  ['with a fraction in it', (text: string) => text.replace('"meta":{', '"x":1.5,"meta":{')],
  [
    'with a time that does not exist',
    (text: string) => text.replace(/"expires":"[^"]*"/, '"expires":"2099-02-30T00:00:00Z"'),
  ],
  ['with a time that cannot be read', (text: string) => text.replace(/"expires":"[^"]*"/, '"expires":"next year"')],
  [
    'of another major version of the specification',
    (text: string) => text.replace('"spec_version":"1.', '"spec_version":"2.'),
  ],
  ['that is cut', (text: string) => text.slice(0, -40)],
  ['that is empty', () => ''],
  ['that is a page of HTML', () => '\n<!DOCTYPE html><html><body>Sign in</body></html>'],
] as const) {
  test(`a timestamp ${cause}: METADATA_INVALID, in a sentence, and nothing is lost`, async (t) => {
    const { judge, repository, clock } = await tufClient(t);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    const honest = repository.stored();
    repository.files.set('timestamp.json', Buffer.from(change(String(repository.files.get('timestamp.json')))));
    const finding = await judge('1.0');
    assert.equal(outcomeOf(finding), 'METADATA_INVALID');
    assert.match(finding.outcome === 'vouched' ? '' : finding.message, /timestamp.*: expected .*, got/);
    clock.advance(DAY);
    repository.restore(honest);
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  });
}
