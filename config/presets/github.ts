import type { Preset } from '../preset.ts';

export const github: Preset = {
  name: 'github',
  publisher: 'GitHub artifact attestations',
  version: 1,
  images: ['ghcr.io/{owner}/**'],
  example: 'ghcr.io/acme/app:1.0',
  signedBy: 'workflows of the owner that you name (keyless)',
  verifies: {
    kind: 'github-owner',
    issuer: 'https://token.actions.githubusercontent.com',
    predicateType: 'https://slsa.dev/provenance/v1',
  },
  source: 'https://docs.github.com/en/actions/concepts/security/artifact-attestations',
  checked: '2026-11-24',
  confidence: 'high',
  note: "The same is asked as by GitHub's own command line: provenance, by a workflow of the owner, built from the owner's repository.",
  gaps: [
    'Attestations that stayed with GitHub are not seen: the workflow must push them to the registry.',
    "Private repositories attest with GitHub's own instance: give its trusted root as trustRoot, with log: false and certificateLog: false.",
    'A reusable workflow of another owner signs with its own identity: override identity with it.',
  ],
};
