import type { Preset } from '../preset.ts';

export const istio: Preset = {
  name: 'istio',
  publisher: 'Istio',
  version: 1,
  images: ['docker.io/istio/*'],
  example: 'docker.io/istio/pilot:1.24.0',
  signedBy: "the project's keys",
  verifies: {
    kind: 'key-file',
    downloads: [
      { url: 'https://istio.io/misc/istio-key.pub', file: './istio-key.pub', covers: '1.18 to 1.31.0' },
      { url: 'https://istio.io/misc/istio-key-v2.pub', file: './istio-key-v2.pub', covers: '1.31.1 and later' },
    ],
    sha256: undefined,
  },
  source: 'https://istio.io/latest/blog/2026/retirement-of-gcp/',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The project names the two keys and the releases each is for; this version was made where neither could be downloaded, so it pins none.',
  gaps: [
    'Releases before 1.18 are not covered by these keys.',
    'The registries that are shut down in December 2026, gcr.io/istio-release and registry.istio.io, are left out.',
  ],
};
