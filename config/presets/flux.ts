import type { Preset } from '../preset.ts';

export const flux: Preset = {
  name: 'flux',
  publisher: 'Flux',
  version: 1,
  images: ['ghcr.io/fluxcd/**', 'docker.io/fluxcd/*'],
  example: 'ghcr.io/fluxcd/source-controller:v1.6.0',
  signedBy: 'any workflow of github.com/fluxcd (keyless)',
  verifies: {
    kind: 'identity',
    issuer: 'https://token.actions.githubusercontent.com',
    identity: 'https://github.com/fluxcd/*',
  },
  source: 'https://fluxcd.io/flux/security/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The security page verifies with this pattern, which takes in every repository and branch of the organization.',
  gaps: [],
};
