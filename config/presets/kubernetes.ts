import type { Preset } from '../preset.ts';

export const kubernetes: Preset = {
  name: 'kubernetes',
  publisher: 'Kubernetes',
  version: 1,
  images: ['registry.k8s.io/**'],
  example: 'registry.k8s.io/pause:3.10',
  signedBy: "the release team's image promoter (keyless)",
  verifies: {
    kind: 'identity',
    issuer: 'https://accounts.google.com',
    identity: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
  },
  source: 'https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The identity is documented for images and is the one in the source of the promoter, which signs what it copies to the registry.',
  gaps: [
    'Images of before Kubernetes 1.24 are not signed.',
    'Binaries are signed by another identity, which this preset does not accept.',
  ],
};
