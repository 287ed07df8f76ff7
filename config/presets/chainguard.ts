import type { Preset } from '../preset.ts';

export const chainguard: Preset = {
  name: 'chainguard',
  publisher: 'Chainguard',
  version: 1,
  images: ['cgr.dev/chainguard/*'],
  example: 'cgr.dev/chainguard/static:latest',
  signedBy: 'the release workflow on GitHub (keyless)',
  verifies: {
    kind: 'identity',
    issuer: 'https://token.actions.githubusercontent.com',
    identity: 'https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main',
  },
  source:
    'https://edu.chainguard.dev/chainguard/containers/security-and-compliance/verifying-chainguard-images-and-metadata-signatures-with-cosign/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The documentation gives this identity for the free images.',
  gaps: [
    "An organization's own images (cgr.dev/<organization>) are signed by identities of https://issuer.enforce.dev that are its own: write them as type: cosign.",
  ],
};
