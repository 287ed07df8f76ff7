import type { Preset } from '../preset.ts';

export const dockerHardenedImages: Preset = {
  name: 'docker-hardened-images',
  publisher: 'Docker Hardened Images',
  version: 1,
  images: ['dhi.io/**'],
  login: ['dhi.io'],
  example: 'dhi.io/alpine-base:3.22',
  signedBy: "Docker's key dhi-2",
  verifies: {
    kind: 'key-file',
    downloads: [{ url: 'https://dhi.io/keyring/latest.pub', file: './dhi-2.pub', covers: 'every image' }],
    sha256: '118ba556dd52f4aec67018efd316c285c783cd3e54cc0f4927605715c643887c',
  },
  source: 'https://github.com/docker-hardened-images/keyring',
  checked: '2026-11-24',
  confidence: 'high',
  note: 'The hash of the key is pinned and was published in several places that agree; the key itself is for you to download, and any other file is refused.',
  gaps: [
    'When Docker changes the key, this pin refuses the new one: write type: cosign with it until a new version of the preset.',
    'Copies in another registry verify only where the signatures were copied along.',
  ],
};
