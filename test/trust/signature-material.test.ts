import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { DOCKER_MANIFEST, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-type.ts';
import { parseTag } from '../../oci/reference.ts';
import { parseMaterialTag, referringMaterial, taggedMaterial } from '../../trust/signature-material.ts';

const HEX = 'a'.repeat(64);
const SUBJECT = `sha256:${HEX}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const EMPTY = 'application/vnd.oci.empty.v1+json';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const TAR = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MIB = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

function blob(mediaType: string, more: Fields = {}): Fields {
  return { mediaType, digest: digestOf(Buffer.from(mediaType)), size: 9, ...more };
}

const subject = { mediaType: OCI_MANIFEST, digest: SUBJECT, size: 7 };

/** A bundle that refers to the subject, with what a case changes; `undefined` leaves a field out. */
function referrer(change: Fields = {}): Fields {
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: BUNDLE,
    config: blob(EMPTY),
    layers: [blob(BUNDLE)],
    subject,
    ...change,
  };
}

/** What cosign 2 keeps under `.sig`. */
function signatures(change: Fields = {}): Fields {
  const layers = [blob(SIMPLE_SIGNING, { annotations: { 'dev.cosignproject.cosign/signature': 'x' } })];
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob(IMAGE_CONFIG), layers, ...change };
}

function list(entries: readonly Fields[], change: Fields = {}): Fields {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries, ...change };
}

const entry = { mediaType: OCI_MANIFEST, digest: OTHER, size: 5, artifactType: BUNDLE };

function manifestOf(document: Fields | string) {
  return parseManifest(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), '');
}

function tagged(ending: string, document: Fields | string) {
  const tag = parseMaterialTag(parseTag(`sha256-${HEX}${ending}`));
  assert.ok(tag !== undefined);
  return taggedMaterial(tag, manifestOf(document));
}

for (const [what, change] of [
  ['a Sigstore bundle', {}],
  ['a bundle of an older version', { layers: [blob('application/vnd.dev.sigstore.bundle+json;version=0.2')] }],
  [
    "cosign's signature as a referrer",
    {
      artifactType: undefined,
      config: blob('application/vnd.dev.cosign.artifact.sig.v1+json'),
      layers: [blob(SIMPLE_SIGNING)],
    },
  ],
  [
    "a Notary Project signature, whose config's type says what it is",
    {
      artifactType: undefined,
      config: blob('application/vnd.cncf.notary.signature'),
      layers: [blob('application/jose+json')],
    },
  ],
  ['an attestation', { artifactType: 'application/vnd.in-toto+json', layers: [blob('application/vnd.in-toto+json')] }],
  ['an SBOM', { artifactType: 'application/spdx+json', layers: [blob('application/spdx+json')] }],
  ['a hundred layers', { layers: Array(100).fill(blob(BUNDLE)) }],
  ['16 MiB', { layers: [blob(BUNDLE, { size: 16 * MIB - 9 })] }],
] satisfies [string, Fields][]) {
  test(`${what} that refers to an image is material about it`, () => {
    const material = referringMaterial(manifestOf(referrer(change)));
    assert.equal(material?.subject, SUBJECT);
    assert.equal(material?.blobs.length, material?.manifest.blobs.length);
  });
}

for (const [what, document] of [
  ['without a subject', referrer({ subject: undefined })],
  ["an image's config", referrer({ config: blob(IMAGE_CONFIG) })],
  ["Docker's config of an image", referrer({ config: blob('application/vnd.docker.container.image.v1+json') })],
  ['a config of a kind that is not known', referrer({ config: blob('application/vnd.example.config') })],
  ['a layer of an image among others', referrer({ layers: [blob(BUNDLE), blob(TAR)] })],
  ['no layer', referrer({ layers: [] })],
  ['a Notary Project signature in COSE, which is no text', referrer({ layers: [blob('application/cose')] })],
  ['another kind of artifact', referrer({ artifactType: 'application/vnd.example.chart' })],
  ['no kind', referrer({ artifactType: undefined })],
  ['a kind that is no text', referrer({ artifactType: 7 })],
  ['101 layers', referrer({ layers: Array(101).fill(blob(BUNDLE)) })],
  ['more than 16 MiB together', referrer({ layers: [blob(BUNDLE, { size: 16 * MIB - 8 })] })],
  ['a platform', referrer({ layers: [blob(BUNDLE, { platform: { os: 'linux', architecture: 'amd64' } })] })],
  ['another place to fetch from', referrer({ config: blob(EMPTY, { urls: ['https://elsewhere.example/'] }) })],
  ['a field in other letters, which Go reads as the same', referrer({ Layers: [blob(TAR)] })],
  ['a field of a descriptor in other letters', referrer({ config: blob(EMPTY, { MediaType: IMAGE_CONFIG }) })],
  ['a field in other letters of the subject', referrer({ subject: { ...subject, Digest: OTHER } })],
  [
    'a field twice',
    JSON.stringify(referrer()).replace('"layers":', `"layers":${JSON.stringify([blob(TAR)])},"layers":`),
  ],
  ["Docker's kind of manifest", referrer({ mediaType: DOCKER_MANIFEST })],
  ['the withdrawn kind of manifest', { mediaType: OCI_ARTIFACT, artifactType: BUNDLE, blobs: [blob(BUNDLE)], subject }],
  ['an index', list([entry], { subject, artifactType: BUNDLE })],
] satisfies [string, Fields | string][]) {
  test(`a manifest that refers to an image is no material with: ${what}`, () => {
    assert.equal(referringMaterial(manifestOf(document)), undefined);
  });
}

for (const [what, ending, document] of [
  ["cosign's signatures", '.sig', signatures()],
  ["cosign's attestations", '.att', signatures({ layers: [blob('application/vnd.dsse.envelope.v1+json')] })],
  ['an SBOM in JSON', '.sbom', signatures({ layers: [blob('application/vnd.cyclonedx+json')] })],
  ['signatures that also refer to the image', '.sig', signatures({ subject })],
  ['a list of referrers', '', list([entry])],
  ['an empty list of referrers', '', list([])],
] satisfies [string, string, Fields][]) {
  test(`under a tag made of a digest, ${what} are material about it`, () => {
    assert.equal(tagged(ending, document)?.subject, SUBJECT);
  });
}

for (const [what, ending, document] of [
  ['an image', '.sig', signatures({ layers: [blob(TAR)] })],
  ['an image with a signature among its layers', '.sig', signatures({ layers: [blob(SIMPLE_SIGNING), blob(TAR)] })],
  ['no layer', '.sig', signatures({ layers: [] })],
  ['an SBOM that is no JSON', '.sbom', signatures({ layers: [blob('text/spdx')] })],
  ['another kind of artifact', '.sig', signatures({ artifactType: 'application/vnd.example.chart' })],
  [
    "Docker's config of an image",
    '.sig',
    signatures({ config: blob('application/vnd.docker.container.image.v1+json') }),
  ],
  ['what refers to another image', '.sig', signatures({ subject: { ...subject, digest: OTHER } })],
  ['a field in other letters', '.sig', signatures({ Layers: [blob(TAR)] })],
  ['a list', '.sig', list([entry])],
  ['signatures, where a list belongs', '', signatures()],
  ['a list about another image', '', list([entry], { subject: { ...subject, digest: OTHER } })],
  [
    'a list with an image for a platform',
    '',
    list([entry, { ...entry, platform: { os: 'linux', architecture: 'arm' } }]),
  ],
  ['a list with an image', '', list([entry, { mediaType: OCI_MANIFEST, digest: OTHER, size: 5 }])],
  ['a list with an image that says so', '', list([{ ...entry, artifactType: IMAGE_CONFIG }])],
  ['a list with a list', '', list([{ ...entry, mediaType: OCI_INDEX }])],
  ['a list with a thousand and one entries', '', list(Array(1001).fill(entry))],
  ['a list with a field in other letters', '', list([], { Manifests: [entry] })],
] satisfies [string, string, Fields][]) {
  test(`under a tag made of a digest is no material: ${what}`, () => {
    assert.equal(tagged(ending, document), undefined);
  });
}

test('only a tag made of a whole sha256 digest is one of material', () => {
  assert.deepEqual(parseMaterialTag(parseTag(`sha256-${HEX}.att`)), { subject: SUBJECT, ending: '.att' });
  assert.deepEqual(parseMaterialTag(parseTag(`sha256-${HEX}`)), { subject: SUBJECT, ending: '' });
  for (const text of [
    '1',
    'sha256-abc.sig',
    `sha256-${HEX}.cosign`,
    `sha256-${HEX.toUpperCase()}.sig`,
    `x${HEX}.sig`,
  ]) {
    assert.equal(parseMaterialTag(parseTag(text)), undefined, text);
  }
});
