import type { UnsignedPublisher } from '../preset.ts';

/** There is no preset for these, and why: nothing is worse than one that was guessed. */
export const UNSIGNED: readonly UnsignedPublisher[] = [
  {
    name: 'docker-official-images',
    publisher: 'Docker Official Images',
    images: ['docker.io/library/*'],
    why: 'Docker Content Trust, which signed them, is shut down on 2026-12-08 and its signatures have expired; nothing that can be verified has taken its place.',
    instead: "a signed alternative (Docker Hardened Images at dhi.io, Chainguard's at cgr.dev/chainguard)",
    checked: '2026-11-24',
  },
  {
    name: 'bitnami',
    publisher: 'Bitnami',
    images: ['docker.io/bitnami/*', 'docker.io/bitnamilegacy/*', 'docker.io/bitnamisecure/*'],
    why: 'No page of the publisher was found that says with which key or identity its images are signed.',
    instead: "a signed alternative (Chainguard's at cgr.dev/chainguard, Docker Hardened Images at dhi.io)",
    checked: '2026-11-24',
  },
];
