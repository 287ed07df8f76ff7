import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryImage } from '../../../bin/demo/memory-image.ts';
import type { Finding } from '../../../trust/authority.ts';
import { about, cosignAuthority } from '../../support/cosign-authority.ts';
import { FakeRegistry, image } from '../../support/fake-registry.ts';
import {
  annotatedIndex,
  artifactImage,
  bundleImage,
  type Layer,
  SIGNATURE_TYPE,
} from '../../support/signature-images.ts';
import { attestation, imageStatement, simpleSigning } from '../../support/image-statement.ts';
import { SigstorePublisher } from '../../support/sigstore-publisher.ts';
import { keyless } from './cases.ts';

const publisher = await SigstorePublisher.create();
const IN_TOTO = 'application/vnd.in-toto+json';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const amd64 = image({ layers: ['amd64'] });
const arm64 = image({ layers: ['arm64'] });

function provenanceOf(of: MemoryImage, builder = 'https://github.com/docker/builder'): Layer {
  const statement = attestation(of.digest, PROVENANCE, { runDetails: { builder: { id: builder } } });
  return {
    blob: Buffer.from(JSON.stringify(statement)),
    mediaType: IN_TOTO,
    annotations: { 'in-toto.io/predicate-type': PROVENANCE },
  };
}

/** What BuildKit puts beside an image in its index. */
function attestationManifest(of: MemoryImage, subject: MemoryImage = of, layer = provenanceOf(of)): MemoryImage {
  return artifactImage([layer], 'application/vnd.docker.attestation.manifest.v1+json', subject);
}

function attesting(manifest: MemoryImage, of: MemoryImage) {
  return {
    image: manifest,
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': of.digest },
  };
}

async function sign(registry: FakeRegistry, manifest: MemoryImage, identity?: string): Promise<void> {
  const options = identity === undefined ? {} : { identity };
  registry.push('app', bundleImage(await publisher.statement(imageStatement(manifest.digest), options), manifest));
}

async function judge(
  t: import('node:test').TestContext,
  registry: FakeRegistry,
  top: MemoryImage,
  policy = keyless(),
  attestationManifests = true,
): Promise<Finding> {
  registry.push('app', top, '1');
  const authority = cosignAuthority(t, registry, publisher, policy, { attestationManifests });
  return authority.judge(about(top.digest, publisher.now));
}

function outcome(finding: Finding): string {
  return finding.outcome === 'vouched' ? 'vouched' : `${finding.outcome} ${finding.reason}`;
}

test('an index is vouched for when the attestation manifest of each of its images is signed', async (t) => {
  const registry = await FakeRegistry.start(t);
  const [one, two] = [attestationManifest(amd64), attestationManifest(arm64)];
  const top = annotatedIndex([{ image: amd64 }, { image: arm64 }, attesting(one, amd64), attesting(two, arm64)]);
  await sign(registry, one);
  assert.equal(outcome(await judge(t, registry, top)), 'refused NOT_SIGNED');
  await sign(registry, two);
  assert.equal(outcome(await judge(t, registry, top)), 'vouched');
  assert.equal(outcome(await judge(t, registry, top, keyless(), false)), 'refused NOT_SIGNED', 'only where asked for');
  assert.equal(
    outcome(await judge(t, registry, top, keyless({ identity: 'https://evil.example' }))),
    'refused IDENTITY_MISMATCH',
  );
});

test('an image alone is vouched for by a signed referrer with its provenance', async (t) => {
  const registry = await FakeRegistry.start(t);
  const manifest = artifactImage([provenanceOf(amd64)], IN_TOTO, amd64);
  registry.push('app', manifest);
  // The list of referrers is where its predicate type is said.
  const { manifests } = JSON.parse(
    annotatedIndex([{ image: manifest, annotations: { 'in-toto.io/predicate-type': PROVENANCE } }]).bytes.toString(),
  );
  registry.spoil(
    { kind: 'referrers', path: `/v2/app/referrers/${amd64.digest}` },
    {
      status: 200,
      body: JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }),
    },
  );
  assert.equal(outcome(await judge(t, registry, amd64)), 'refused NOT_SIGNED');
  const layer = await publisher.legacy(simpleSigning(manifest.digest));
  registry.push('app', artifactImage([layer], SIGNATURE_TYPE, manifest));
  assert.equal(outcome(await judge(t, registry, amd64)), 'vouched');
});

/** Ways to slip an image in, each with all attestation manifests signed by the right signer unless said otherwise. */
const ATTACKS: readonly [how: string, build: (registry: FakeRegistry) => Promise<MemoryImage>, denied: string][] = [
  [
    'an image without attestation among attested ones',
    async (registry) => {
      const one = attestationManifest(amd64);
      await sign(registry, one);
      return annotatedIndex([{ image: amd64 }, { image: arm64 }, attesting(one, amd64)]);
    },
    'refused NOT_SIGNED',
  ],
  [
    'an image that is called an attestation manifest',
    async (registry) => {
      const one = attestationManifest(amd64);
      await sign(registry, one);
      return annotatedIndex([{ image: amd64 }, attesting(one, amd64), attesting(arm64, amd64)]);
    },
    'refused SUBJECT_MISMATCH',
  ],
  [
    'an attestation manifest of no image in the index',
    async (registry) => {
      const one = attestationManifest(amd64);
      await sign(registry, one);
      return annotatedIndex([{ image: amd64 }, attesting(one, amd64), attesting(attestationManifest(arm64), arm64)]);
    },
    'refused SUBJECT_MISMATCH',
  ],
  [
    'an attestation manifest of another image, by its annotation only',
    async (registry) => {
      const other = attestationManifest(arm64);
      await sign(registry, other);
      return annotatedIndex([{ image: amd64 }, attesting(other, amd64)]);
    },
    'refused SUBJECT_MISMATCH',
  ],
  [
    'a second attestation manifest that somebody else signed',
    async (registry) => {
      const one = attestationManifest(amd64);
      const two = attestationManifest(amd64, amd64, provenanceOf(amd64, 'https://evil.example'));
      await sign(registry, one);
      await sign(registry, two, 'https://evil.example');
      return annotatedIndex([{ image: amd64 }, attesting(one, amd64), attesting(two, amd64)]);
    },
    'refused IDENTITY_MISMATCH',
  ],
  [
    'a signed manifest without provenance in it',
    async (registry) => {
      const bare = artifactImage([{ ...provenanceOf(amd64), annotations: {} }], undefined, amd64);
      await sign(registry, bare);
      return annotatedIndex([{ image: amd64 }, attesting(bare, amd64)]);
    },
    'refused ATTESTATION_MISSING',
  ],
  [
    'more images than any index has',
    async (registry) => {
      const one = attestationManifest(amd64);
      await sign(registry, one);
      const images = Array.from({ length: 33 }, () => ({ image: amd64 }));
      return annotatedIndex([...images, attesting(one, amd64)]);
    },
    'refused METADATA_INVALID',
  ],
  ['an index of nothing', async () => annotatedIndex([]), 'refused NOT_SIGNED'],
];

for (const [how, build, denied] of ATTACKS) {
  test(`refused: ${how}`, async (t) => {
    const registry = await FakeRegistry.start(t);
    assert.equal(outcome(await judge(t, registry, await build(registry))), denied);
  });
}

test('conditions on the provenance are asked of what is signed, and of this image', async (t) => {
  const registry = await FakeRegistry.start(t);
  const builder = 'https://github.com/docker/builder';
  const id = { text: builder, literals: [builder] };
  const policy = keyless(
    {},
    { content: { predicateType: PROVENANCE, predicate: new Map([['runDetails.builder.id', id]]) } },
  );
  const verdictOf = async (layer: Layer) => {
    const manifest = attestationManifest(amd64, amd64, layer);
    await sign(registry, manifest);
    return outcome(await judge(t, registry, annotatedIndex([{ image: amd64 }, attesting(manifest, amd64)]), policy));
  };
  assert.equal(await verdictOf(provenanceOf(amd64)), 'vouched');
  assert.equal(await verdictOf(provenanceOf(amd64, 'https://evil.example')), 'refused ATTESTATION_MISSING');
  assert.equal(await verdictOf(provenanceOf(arm64)), 'refused SUBJECT_MISMATCH');
});

test('an attestation manifest that cannot be fetched is undetermined', async (t) => {
  const registry = await FakeRegistry.start(t);
  const one = attestationManifest(amd64);
  await sign(registry, one);
  registry.spoil({ path: `/v2/app/manifests/${one.digest}` }, { status: 503 });
  const top = annotatedIndex([{ image: amd64 }, attesting(one, amd64)]);
  assert.equal(outcome(await judge(t, registry, top)), 'undetermined TRUST_UNREACHABLE');
});
