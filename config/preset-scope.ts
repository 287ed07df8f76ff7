import type { Preset } from './preset.ts';

/** The images a preset is meant for, with the owner filled in; names in a registry are lower case. */
export function imagesOf({ images }: Preset, owner = ''): string[] {
  return images.map((image) => image.replaceAll('{owner}', () => owner.toLowerCase()));
}

/** Whether everything that the pattern matches is matched by one of these, too. When in doubt, no. */
export function isWithin(pattern: string, scope: readonly string[]): boolean {
  const parts = partsOf(pattern);
  return scope.some((wider) => covers(partsOf(wider), parts));
}

/** Without a tag: a preset is for repositories as a whole. */
function partsOf(pattern: string): string[] {
  const colon = pattern.lastIndexOf(':');
  return (colon > pattern.lastIndexOf('/') ? pattern.slice(0, colon) : pattern).split('/');
}

/** Of the wider one only whole-part wildcards are understood, `**` at its end alone: presets have no others. */
function covers(wider: readonly string[], narrower: readonly string[]): boolean {
  const [wide, ...widerRest] = wider;
  const [narrow, ...narrowerRest] = narrower;
  if (wide === undefined || narrow === undefined) return wide === narrow;
  if (wide === '**') return widerRest.length === 0;
  if (narrow === '**' || (wide !== '*' && wide !== narrow)) return false;
  return covers(widerRest, narrowerRest);
}
