import type { Preset } from '../preset.ts';

export const cilium: Preset = {
  name: 'cilium',
  publisher: 'Cilium',
  version: 1,
  images: ['quay.io/cilium/*'],
  example: 'quay.io/cilium/cilium:v1.18.0',
  signedBy: 'the release workflow of cilium/cilium at a tag (keyless)',
  verifies: {
    kind: 'identity',
    issuer: 'https://token.actions.githubusercontent.com',
    identity: 'https://github.com/cilium/cilium/.github/workflows/build-images-releases.yaml@refs/tags/*',
  },
  source: 'https://docs.cilium.io/en/stable/configuration/verify-image-signatures/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The documentation gives this workflow at the tag of the release; every tag is accepted here.',
  gaps: [
    'Releases before 1.13 are not signed.',
    'Images built from other repositories of the project, and nightly builds, are signed by other workflows.',
  ],
};
