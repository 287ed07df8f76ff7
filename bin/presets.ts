import { findPreset, PRESET_NAMES, PRESETS } from '../config/preset-catalog.ts';
import { UNSIGNED } from '../config/presets/unsigned.ts';
import { didYouMean } from '../config/suggest.ts';
import { presetBlock } from './preset-block.ts';
import { presetExplained, presetList, unsignedExplained } from './preset-text.ts';

interface Options {
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  readonly colour: boolean;
}

/** The name is neither that of a preset nor that of a publisher without one. */
export class UnknownPreset extends Error {
  override readonly name = 'UnknownPreset';
}

/** `docklock presets [NAME]`: all, or one with the configuration to paste. @returns the exit code @throws UnknownPreset */
export async function presets(name: string | undefined, { json, out, colour }: Options): Promise<number> {
  const said = name === undefined ? all(colour) : one(name, colour);
  out.write(json ? `${JSON.stringify(said.record, null, 2)}\n` : said.text);
  return 0;
}

interface Said {
  readonly record: object;
  readonly text: string;
}

function all(colour: boolean): Said {
  return { record: { presets: PRESETS, unsigned: UNSIGNED }, text: presetList(PRESETS, UNSIGNED, colour) };
}

function one(name: string, colour: boolean): Said {
  const preset = findPreset(name);
  if (preset !== undefined) {
    return { record: { ...preset, configuration: presetBlock(preset) }, text: presetExplained(preset, colour) };
  }
  const unsigned = UNSIGNED.find((publisher) => publisher.name === name);
  if (unsigned !== undefined) return { record: unsigned, text: unsignedExplained(unsigned, colour) };
  const names = [...PRESET_NAMES, ...UNSIGNED.map((publisher) => publisher.name)];
  const hint = didYouMean(name, names);
  throw new UnknownPreset(
    `expected the name of a preset (${names.join(', ')}), got ${JSON.stringify(name.slice(0, 80))}${hint === undefined ? '' : `; ${hint}`}`,
  );
}
