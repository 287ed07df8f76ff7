import type { Preset } from '../config/preset.ts';
import { imagesOf } from '../config/preset-scope.ts';

/** Whose images the examples are. */
const OWNER = 'acme';

/** What to paste into a configuration to have the publisher's images verified. */
export function presetBlock(preset: Preset): string {
  const images = imagesOf(preset, OWNER);
  const name = preset.verifies.kind === 'github-owner' ? OWNER : preset.name;
  const upstreams = [...new Set(images.map((image) => image.split('/', 1)[0] ?? ''))];
  const lines = [
    'upstreams:',
    ...upstreams.map((upstream) => `  ${upstream}: ${settingsOf(upstream, preset)}`),
    '',
    'authorities:',
    `  ${name}: { ${['preset: ', preset.name, ...inputsOf(preset)].join('')} }`,
    '',
    'policy:',
    ...(images.length === 1
      ? [`  - images: ${images[0]}`]
      : ['  - images:', ...images.map((image) => `      - ${image}`)]),
    `    require: [${name}]`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function settingsOf(upstream: string, { login = [] }: Preset): string {
  if (login.includes(upstream)) return '{ credentials: docker-config }   # after docker login';
  return upstream === 'docker.io' ? '{ default: true }' : '{}';
}

function inputsOf({ verifies }: Preset): string[] {
  if (verifies.kind === 'github-owner') return [`, owner: ${OWNER}`];
  if (verifies.kind !== 'key-file') return [];
  const files = verifies.downloads.map(({ file }) => file);
  return [files.length === 1 ? `, key: ${files[0]}` : `, keys: [${files.join(', ')}]`];
}
