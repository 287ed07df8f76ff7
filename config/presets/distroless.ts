import type { Preset } from '../preset.ts';

export const distroless: Preset = {
  name: 'distroless',
  publisher: 'Distroless (GoogleContainerTools)',
  version: 1,
  images: ['gcr.io/distroless/*'],
  example: 'gcr.io/distroless/static-debian12:latest',
  signedBy: "the project's build service (keyless)",
  verifies: {
    kind: 'identity',
    issuer: 'https://accounts.google.com',
    identity: 'keyless@distroless.iam.gserviceaccount.com',
  },
  source: 'https://github.com/GoogleContainerTools/distroless',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The README of the project gives this identity and issuer.',
  gaps: [],
};
