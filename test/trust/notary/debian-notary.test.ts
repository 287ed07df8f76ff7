/** Metadata that Docker's own tools signed: what we verify, byte for byte, is what they meant. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../../oci/reference.ts';
import { canonicalJson } from '../../../trust/metadata/canonical-json.ts';
import { type JsonObject, parseStrictJson } from '../../../trust/metadata/strict-json.ts';
import { NotaryAuthority } from '../../../trust/notary/authority.ts';
import { parseRoot } from '../../../trust/notary/root-metadata.ts';
import { NotaryFetch } from '../../support/notary-fetch.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const vector = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/notary/debian-notary.json'), 'utf8'));
const texts: Record<string, string> = vector.files;
const files = new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
const NOW = new Date('2026-11-24T12:00:00Z');

for (const [what, id, roots] of [
  ['the ID of the first root certificate', vector.rootKey, 'root 6 .* handed over from root 4'],
  ['the canonical ID of the first root key', vector.canonicalRootKey, 'root 6 .* handed over from root 4'],
] as const) {
  test(`after rotations of all keys the tag is still found from ${what}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'docklock-debian-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const authority = new NotaryAuthority({
      name: 'dct',
      server: 'https://notary.example',
      gun: '{registry}/{repository}',
      pin: { kind: 'rootKeys', ids: [id] },
      requireReleases: true,
      signers: ['alice'],
      refresh: 0,
      folder,
      readOnly: false,
      fetch: new NotaryFetch({ files }),
      log: new RecordingLog(),
      now: () => NOW,
    });
    t.after(() => authority.close());
    const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/app') };
    const finding = await authority.judge({ name, reference: parseReference('1.0'), now: NOW, maxAge: 1000 });
    assert.equal(finding.outcome, 'vouched');
    assert.equal(finding.outcome === 'vouched' && finding.digest, vector.released);
    assert.match(finding.evidence[0]?.text ?? '', new RegExp(roots));
  });
}

test('the canonical form of each file is the text that was signed', () => {
  for (const [name, text] of Object.entries(texts)) {
    const signed = (parseStrictJson(Buffer.from(text), text.length, name) as JsonObject).signed;
    assert.ok(signed !== undefined);
    assert.equal(
      canonicalJson(signed).toString(),
      text.slice('{"signed":'.length, text.indexOf(',"signatures":')),
      name,
    );
  }
});

test('the keys of each root have the IDs under which they are listed', () => {
  for (const [name, bytes] of files) {
    if (!name.endsWith('root.json')) continue;
    const { roles } = parseRoot(bytes);
    assert.deepEqual(
      Object.values(roles).map(({ keys }) => keys.length),
      [1, 1, 1, 1],
      name,
    );
  }
});
