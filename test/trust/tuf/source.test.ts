import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Digest } from '../../../oci/digest.ts';
import { MetadataUnavailable } from '../../../trust/fetch-metadata.ts';
import { MetadataError } from '../../../trust/metadata/metadata-error.ts';
import { folderSource } from '../../../trust/tuf/folder-source.ts';
import { imageSource, type MetadataImages } from '../../../trust/tuf/image-source.ts';
import { metadataImage } from '../../support/metadata-image.ts';
import { IMAGE, NOW, outcomeOf, signedRepository, TARGET, tufClient } from '../../support/tuf-client.ts';
import { TufRepository } from '../../support/tuf-repository.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-metadata-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder: its files as they are, none that is longer than it may be', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, '3.a%2Fb.json'), 'four');
  const files = folderSource(folder).look();
  assert.equal(String(await files.get({ role: 'a/b', version: 3 }, 4)), 'four');
  assert.equal(await files.get({ role: 'a/b', version: 4 }, 4), undefined);
  await assert.rejects(files.get({ role: 'a/b', version: 3 }, 3), { reason: 'METADATA_INVALID' });
});

test('a folder that is not there is an outage, not a repository without files', async (t) => {
  const folder = await folderOf(t);
  const files = folderSource(join(folder, 'unmounted')).look();
  await assert.rejects(files.get({ role: 'timestamp' }, 10), MetadataUnavailable);
});

/** A registry in memory that counts what it is asked for. */
class Images implements MetadataImages {
  readonly asked: string[] = [];
  readonly manifests = new Map<string, Uint8Array>();
  readonly blobs = new Map<Digest, Uint8Array>();

  push(tag: string, files: ReadonlyMap<string, Buffer>): void {
    const image = metadataImage(files);
    this.manifests.set(tag, image.bytes);
    for (const [digest, bytes] of image.blobs) this.blobs.set(digest, bytes);
  }

  async manifest(tag: string): Promise<Uint8Array | undefined> {
    this.asked.push(tag);
    return this.manifests.get(tag);
  }

  async blob(digest: Digest): Promise<Uint8Array | undefined> {
    return this.blobs.get(digest);
  }
}

function published(): TufRepository {
  const repository = new TufRepository({ now: NOW });
  repository.delegate('acme', { paths: ['docker.io/acme/*'] });
  repository.sign(TARGET, IMAGE, 'acme');
  repository.publish();
  return repository;
}

for (const layout of ['one image', 'an image of its own for the delegated role'] as const) {
  test(`metadata in ${layout}: each tag is asked for once a refresh`, async (t) => {
    const repository = published();
    const images = new Images();
    const isOwn = (name: string) => layout !== 'one image' && name.endsWith('acme.json');
    images.push('latest', new Map([...repository.files].filter(([name]) => !isOwn(name))));
    images.push('acme', new Map([...repository.files].filter(([name]) => isOwn(name))));
    const { judge } = await tufClient(t, repository, { source: imageSource('oci://x/y', images, 'latest') });
    assert.equal(outcomeOf(await judge('1.0')), 'vouched');
    assert.deepEqual(images.asked, layout === 'one image' ? ['latest'] : ['latest', 'acme']);
  });
}

test('a top role is taken from the image of the metadata alone, not from a tag that is called like it', async (t) => {
  const repository = published();
  const images = new Images();
  images.push('latest', new Map([...repository.files].filter(([name]) => name !== 'timestamp.json')));
  images.push('timestamp', repository.files);
  const { judge } = await tufClient(t, repository, { source: imageSource('oci://x/y', images, 'latest') });
  assert.equal(outcomeOf(await judge('1.0')), 'NOT_SIGNED');
});

test('no image at all: there is no repository', async (t) => {
  const source = imageSource('oci://x/y', new Images(), 'latest');
  const { judge } = await tufClient(t, signedRepository(), { source });
  assert.equal(outcomeOf(await judge('1.0')), 'NOT_SIGNED');
});

test('a blob that is not what the manifest of the metadata says is refused', async (t) => {
  const repository = published();
  const images = new Images();
  images.push('latest', repository.files);
  for (const digest of images.blobs.keys()) images.blobs.set(digest, Buffer.from('other'));
  const { judge } = await tufClient(t, repository, { source: imageSource('oci://x/y', images, 'latest') });
  assert.equal(outcomeOf(await judge('1.0')), 'METADATA_MISMATCH');
});

for (const [cause, manifest] of [
  ['no JSON', 'text'],
  ['a layer without a digest', '{"layers":[{"annotations":{"tuf.io/filename":"2.root.json"}}]}'],
  [
    'a digest that is none',
    '{"layers":[{"digest":"sha1:0","size":1,"annotations":{"tuf.io/filename":"2.root.json"}}]}',
  ],
] as const) {
  test(`a manifest of the metadata with ${cause}: METADATA_INVALID`, async () => {
    const images = new Images();
    images.manifests.set('latest', Buffer.from(manifest));
    const files = imageSource('oci://x/y', images, 'latest').look();
    const asked = files.get({ role: 'root', version: 2 }, 1000);
    await assert.rejects(asked, (error) => error instanceof MetadataError && error.reason === 'METADATA_INVALID');
  });
}

test('a layer that is larger than its file may be is not fetched', async () => {
  const images = new Images();
  images.push('latest', new Map([['timestamp.json', Buffer.alloc(2000)]]));
  images.blobs.clear();
  const asked = imageSource('oci://x/y', images, 'latest').look().get({ role: 'timestamp' }, 1000);
  await assert.rejects(asked, /expected at most 1000 bytes, got 2000/);
});
