import type { Preset } from '../preset.ts';

export const sigstore: Preset = {
  name: 'sigstore',
  publisher: 'Sigstore',
  version: 1,
  images: ['ghcr.io/sigstore/cosign/**', 'gcr.io/projectsigstore/**'],
  example: 'ghcr.io/sigstore/cosign/cosign:v3.0.5',
  signedBy: "the project's release service (keyless)",
  verifies: {
    kind: 'identity',
    issuer: 'https://accounts.google.com',
    identity: 'keyless@projectsigstore.iam.gserviceaccount.com',
  },
  source: 'https://docs.sigstore.dev/cosign/system_config/installation/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The installation page of cosign gives this identity for its own images.',
  gaps: ['Other images under ghcr.io/sigstore are signed by workflows of their own.'],
};
