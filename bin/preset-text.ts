import { styleText } from 'node:util';
import type { Preset, PresetSigner, UnsignedPublisher } from '../config/preset.ts';
import { presetBlock } from './preset-block.ts';
import { wrap } from './wrap.ts';

const WIDTH = 96;
const NAME = 26;
const LABEL = 14;

/** What holds for every signature of an image, whoever made it. */
const TAGS =
  'Tags: a signature covers content, never a tag, so an older image that was signed passes under a newer tag. Where that ' +
  'matters, add freshness: { noRollback: true } to the rule, or require a tuf or notary authority as well.';

const VOUCH = 'vouch for the image yourself with docklock vouch, and require that authority for it';

/** All presets at a glance, and whose images have none. */
export function presetList(
  presets: readonly Preset[],
  unsigned: readonly UnsignedPublisher[],
  colour: boolean,
): string {
  const bold = painter(colour);
  const known = presets.map(({ name, images, signedBy, verifies, checked }) =>
    entry(bold, name, [
      images.join(', ').replaceAll('{owner}', '<owner>'),
      `${needs(verifies)}signed by ${signedBy}, checked ${checked}`,
    ]),
  );
  const unknown = unsigned.map(({ name, images, why, checked }) =>
    entry(bold, name, [images.join(', '), `${why} Checked ${checked}.`]),
  );
  return [
    'Publishers whose signatures DockLock knows how to verify:\n',
    ...known,
    ...wrap(`No preset, since there is nothing to verify them with. Pull a signed alternative, or ${VOUCH}:`, WIDTH),
    '',
    ...unknown,
    'docklock presets NAME explains one, with a configuration to paste.\n',
  ].join('\n');
}

/** All about one preset, and what to paste into the configuration. */
export function presetExplained(preset: Preset, colour: boolean): string {
  const bold = painter(colour);
  const { name, publisher, version, images, signedBy, verifies, source, checked, confidence, note, gaps } = preset;
  return [
    `${bold(name)}: ${publisher}\n`,
    facts([
      ['images', images.join(', ').replaceAll('{owner}', '<owner>')],
      ['signed by', signedBy],
      ...signerFacts(verifies),
      ['documented at', source],
      ['checked', `${checked}, confidence ${confidence}, preset version ${version}`],
      ['note', note],
    ]),
    ...howToCompare(verifies),
    bold('In the configuration'),
    '',
    presetBlock(preset),
    `Then: docklock verify ${preset.example}`,
    '',
    bold('What it does not cover'),
    ...[TAGS, ...gaps].flatMap((gap) => item(gap)),
    '',
    ...wrap(
      'Beside preset, every key of a cosign authority may be written and outweighs the preset: identity, issuer, key, trustRoot, maxAge, … (docs/configuration.md).',
      WIDTH,
    ),
    '',
  ].join('\n');
}

export function unsignedExplained(
  { name, publisher, images, why, instead, checked }: UnsignedPublisher,
  colour: boolean,
): string {
  const bold = painter(colour);
  return [
    `${bold(name)}: ${publisher}. There is no preset.\n`,
    facts([
      ['images', images.join(', ')],
      ['why', why],
      ['checked', checked],
    ]),
    bold('Ways open'),
    ...item(`pull ${instead}; docklock presets lists all`),
    ...item(VOUCH),
    '',
  ].join('\n');
}

function signerFacts(verifies: PresetSigner): [string, string][] {
  switch (verifies.kind) {
    case 'identity':
      return [
        ['identity', verifies.identity],
        ['issuer', verifies.issuer],
      ];
    case 'github-owner':
      return [
        ['identity', 'https://github.com/<owner>/*; where repo is given too, https://github.com/<owner>/<repo>/*'],
        ['issuer', verifies.issuer],
        ['built from', 'a repository of the owner, or the one named'],
        ['attestation', verifies.predicateType],
      ];
    case 'key':
      return [['key', `embedded, SHA-256 ${verifies.sha256}`]];
    case 'key-file':
      return [
        ...verifies.downloads.map(({ url, file, covers }): [string, string] => [
          'key',
          `${url}, to be saved as ${file}: ${covers}`,
        ]),
        ['pinned', verifies.sha256 === undefined ? 'no, compare it yourself' : `SHA-256 ${verifies.sha256}`],
      ];
  }
}

function howToCompare(verifies: PresetSigner): string[] {
  if (verifies.kind !== 'key-file') return [];
  const why =
    verifies.sha256 === undefined
      ? 'Download each key twice, over different networks, and compare with a colleague or an older copy: whoever can exchange it decides what passes.'
      : 'DockLock refuses any other key. To see the SHA-256 of what was downloaded:';
  const commands = verifies.downloads.map(
    ({ file }) => `  openssl pkey -pubin -in ${file} -outform DER | openssl dgst -sha256`,
  );
  return [...wrap(why, WIDTH), ...commands, ''];
}

function needs(verifies: PresetSigner): string {
  if (verifies.kind === 'github-owner') return 'you name the owner; ';
  if (verifies.kind === 'key-file') return 'you download the key; ';
  return '';
}

function entry(bold: (text: string) => string, name: string, texts: readonly string[]): string {
  const lines = texts.flatMap((text) => wrap(text, WIDTH - NAME));
  const rest = lines.slice(1).map((line) => `${' '.repeat(NAME)}${line}\n`);
  return `${bold(name.padEnd(NAME))}${lines[0] ?? ''}\n${rest.join('')}`;
}

function facts(rows: readonly (readonly [string, string])[]): string {
  return rows
    .flatMap(([label, text]) =>
      wrap(text, WIDTH - LABEL - 2).map((line, at) => `  ${(at === 0 ? label : '').padEnd(LABEL)}${line}\n`),
    )
    .join('');
}

function item(text: string): string[] {
  return wrap(text, WIDTH - 4).map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`);
}

function painter(colour: boolean): (text: string) => string {
  return (text) => (colour ? styleText('bold', text, { validateStream: false }) : text);
}
