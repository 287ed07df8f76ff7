import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../../oci/digest.ts';
import { MANIFEST_LIMIT, parseManifest } from '../../oci/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  mediaTypeOf,
  OCI_ARTIFACT,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../oci/media-type.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: DIGEST, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: OTHER, size: 30 };
const image = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
const child = {
  mediaType: OCI_MANIFEST,
  digest: DIGEST,
  size: 400,
  platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
};
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] };

function bytesOf(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

test('an image lists its config and layers, with the exact bytes and their digest', () => {
  const bytes = bytesOf(image);
  const manifest = parseManifest(bytes, OCI_MANIFEST);
  assert.equal(manifest.bytes, bytes);
  assert.equal(manifest.digest, digestOf(bytes));
  assert.deepEqual(
    manifest.blobs.map(({ digest, size }) => ({ digest, size })),
    [
      { digest: DIGEST, size: 2 },
      { digest: OTHER, size: 30 },
    ],
  );
  assert.deepEqual(manifest.manifests, []);
});

test('an index lists its children with their platforms', () => {
  const manifest = parseManifest(bytesOf(index), OCI_INDEX);
  assert.deepEqual(manifest.manifests, [child]);
  assert.deepEqual(manifest.blobs, []);
});

test('Docker schema 2, manifest lists, artifacts and subjects are read', () => {
  const docker = { ...image, mediaType: DOCKER_MANIFEST };
  assert.equal(parseManifest(bytesOf(docker), DOCKER_MANIFEST).mediaType, DOCKER_MANIFEST);
  const list = { ...index, mediaType: DOCKER_LIST };
  assert.equal(parseManifest(bytesOf(list), DOCKER_LIST).mediaType, DOCKER_LIST);
  const artifact = { mediaType: OCI_ARTIFACT, artifactType: 'a/b', blobs: [layer], subject: child };
  const parsed = parseManifest(bytesOf(artifact), OCI_ARTIFACT);
  assert.deepEqual(parsed.blobs, [layer]);
  assert.equal(parsed.subject?.digest, DIGEST);
});

test('an OCI document without a media type is what its shape says, from the wire and from disk alike', () => {
  const { mediaType: _image, ...bare } = image;
  const { mediaType: _index, ...bareIndex } = index;
  assert.equal(parseManifest(bytesOf(bare), OCI_MANIFEST).mediaType, OCI_MANIFEST);
  assert.equal(parseManifest(bytesOf(bare), '').mediaType, OCI_MANIFEST);
  assert.equal(parseManifest(bytesOf(bareIndex), 'application/json').mediaType, OCI_INDEX);
});

test('the digest is computed with the algorithm that was asked for', () => {
  const bytes = bytesOf(image);
  assert.equal(parseManifest(bytes, OCI_MANIFEST, 'sha512').digest, digestOf(bytes, 'sha512'));
});

for (const [what, document, contentType] of [
  ['a header that says another type than the document', image, OCI_INDEX],
  ['an undeclared OCI image served as a Docker manifest', { ...image, mediaType: undefined }, DOCKER_MANIFEST],
  ['an index with layers', { ...index, layers: [layer] }, OCI_INDEX],
  ['an index with a config', { ...index, config }, OCI_INDEX],
  ['an image with children', { ...image, manifests: [child] }, OCI_MANIFEST],
  ['an image without a config', { ...image, config: undefined }, OCI_MANIFEST],
  ['an image without layers', { ...image, layers: undefined }, OCI_MANIFEST],
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
  ['an unknown media type', { ...image, mediaType: 'text/html' }, 'text/html'],
  ['no schema version', { ...image, schemaVersion: undefined }, OCI_MANIFEST],
  ['a list instead of an object', [image], OCI_MANIFEST],
  ['layers that are no list', { ...image, layers: {} }, OCI_MANIFEST],
  ['a digest that is none', { ...image, layers: [{ ...layer, digest: 'sha256:zz' }] }, OCI_MANIFEST],
  ['a negative size', { ...image, layers: [{ ...layer, size: -1 }] }, OCI_MANIFEST],
  ['a broken size', { ...image, layers: [{ ...layer, size: 1.5 }] }, OCI_MANIFEST],
  ['a layer that is no object', { ...image, layers: ['x'] }, OCI_MANIFEST],
  ['a descriptor without a media type', { ...image, layers: [{ ...layer, mediaType: 1 }] }, OCI_MANIFEST],
  ['a media type that is no text', { ...image, mediaType: 7 }, OCI_MANIFEST],
  ['more children than any index has', { ...index, manifests: Array(10_001).fill(child) }, OCI_INDEX],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseManifest(bytesOf(document), contentType), { code: 'MANIFEST_INVALID' });
  });
}

test('more than 4 MiB is refused before it is read', () => {
  assert.throws(() => parseManifest(new Uint8Array(MANIFEST_LIMIT + 1), OCI_MANIFEST), { code: 'MANIFEST_INVALID' });
});

test('what is no UTF-8 or no JSON is refused', () => {
  assert.throws(() => parseManifest(Buffer.from('<html>'), OCI_MANIFEST), { code: 'MANIFEST_INVALID' });
  assert.throws(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]), OCI_MANIFEST), { code: 'MANIFEST_INVALID' });
});

test('any JSON either parses to a manifest of its bytes or is refused as one, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      try {
        assert.equal(parseManifest(Buffer.from(text), '').digest, digestOf(Buffer.from(text)));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'MANIFEST_INVALID');
      }
    }),
  );
});

test('parameters and case of a Content-Type do not matter', () => {
  assert.equal(mediaTypeOf('Application/JSON; charset=utf-8'), 'application/json');
});
