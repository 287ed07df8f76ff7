import { PRESETS } from '../config/preset-catalog.ts';
import { UNSIGNED } from '../config/presets/unsigned.ts';
import { compilePattern } from '../trust/rule.ts';

const KNOWN = PRESETS.filter(({ verifies }) => verifies.kind !== 'github-owner').map(({ name, images }) => ({
  patterns: images.map(compilePattern),
  advice: `The preset ${name} verifies it: whoever runs the gateway can add it and a rule (docklock presets ${name})`,
}));

const UNKNOWN = UNSIGNED.map(({ name, publisher, images, instead }) => ({
  patterns: images.map(compilePattern),
  advice: `${publisher} have no signature to verify: pull ${instead}, or vouch for it (docklock vouch); see docklock presets ${name}`,
}));

/**
 * What can be done about an image that no rule covers, where something is known of its publisher.
 * @param image the upstream name with tag or digest
 */
export function waysOpen(image: string): string | undefined {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return [...KNOWN, ...UNKNOWN].find(({ patterns }) => patterns.some((pattern) => pattern.name.test(name)))?.advice;
}
