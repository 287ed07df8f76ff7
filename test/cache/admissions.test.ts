import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Admissions } from '../../cache/admissions.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-type.ts';
import { parseRepositoryName, parseTag, parseUpstreamName, tagReference } from '../../oci/reference.ts';
import { RecordingLog } from '../support/recording-log.ts';

const silent = new RecordingLog();
const APP = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };
const OTHER = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('other') };
const layer = { mediaType: 'layer', digest: digestOf(Buffer.from('layer')), size: 5 };
const config = { mediaType: 'config', digest: digestOf(Buffer.from('config')), size: 6 };
const image = parseManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] })), OCI_MANIFEST);
const child = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.bytes.byteLength };
const index = parseManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [child] })), OCI_INDEX);

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'docklock-admissions-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a blob is led back to the manifests of its own repository only', async (t) => {
  const admissions = await Admissions.open(await folder(t), silent);
  admissions.record(APP, image, undefined);
  assert.deepEqual(admissions.holdersOf(APP, layer.digest), [{ parent: image.digest, size: 5 }]);
  assert.deepEqual(admissions.holdersOf(APP, config.digest), [{ parent: image.digest, size: 6 }]);
  assert.deepEqual(admissions.holdersOf(OTHER, layer.digest), []);
  admissions.close();
});

test('a child manifest is led back to its index, and is no blob', async (t) => {
  const admissions = await Admissions.open(await folder(t), silent);
  admissions.record(APP, index, parseTag('1'));
  assert.deepEqual(admissions.parentsOf(APP, image.digest), [{ parent: index.digest, size: child.size }]);
  assert.deepEqual(admissions.holdersOf(APP, image.digest), []);
  assert.deepEqual(admissions.parentsOf(OTHER, image.digest), []);
  admissions.close();
});

test('what was admitted is known, for its own repository, and what it lists is not by that', async (t) => {
  const admissions = await Admissions.open(await folder(t), silent);
  admissions.record(APP, index, parseTag('1'));
  assert.equal(admissions.knows(APP, index.digest), true);
  assert.equal(admissions.knows(OTHER, index.digest), false);
  assert.equal(admissions.knows(APP, image.digest), false);
  admissions.close();
});

test("tags, listings and the upstream's word survive a restart", async (t) => {
  const path = await folder(t);
  const before = await Admissions.open(path, silent);
  before.record(APP, image, parseTag('1'));
  before.record(APP, image, parseTag('latest'));
  before.rememberUpstreamsWord(APP, tagReference(parseTag('1')), image.digest, 42);
  before.close();
  const after = await Admissions.open(path, silent);
  assert.deepEqual(after.tagsOf(APP, image.digest), ['1', 'latest']);
  assert.equal(after.holdersOf(APP, layer.digest).length, 1);
  assert.deepEqual(after.upstreamsWord(APP, tagReference(parseTag('1'))), { digest: image.digest, at: 42 });
  after.forgetUpstreamsWord(APP, tagReference(parseTag('1')));
  assert.equal(after.upstreamsWord(APP, tagReference(parseTag('1'))), undefined);
  after.close();
});

test('a damaged file is put aside, said aloud, and a new one begun', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'admissions.db'), 'this is not a database, and long enough to look like one'.repeat(100));
  const log = new RecordingLog();
  const admissions = await Admissions.open(path, log);
  admissions.record(APP, image, undefined);
  assert.equal(admissions.holdersOf(APP, layer.digest).length, 1);
  assert.equal(log.at('warn').length, 1);
  assert.ok(existsSync(join(path, 'admissions.db.damaged')));
  admissions.close();
});

test('a command beside a running gateway reads what the gateway recorded', async (t) => {
  const path = await folder(t);
  const gateway = await Admissions.open(path, silent);
  gateway.record(APP, image, parseTag('1'));
  const beside = Admissions.openBeside(path);
  assert.deepEqual(beside.tagsOf(APP, image.digest), ['1']);
  beside.close();
  gateway.close();
});
