import type { Preset } from './preset.ts';
import { chainguard } from './presets/chainguard.ts';
import { cilium } from './presets/cilium.ts';
import { distroless } from './presets/distroless.ts';
import { dockerHardenedImages } from './presets/docker-hardened-images.ts';
import { flux } from './presets/flux.ts';
import { github } from './presets/github.ts';
import { istio } from './presets/istio.ts';
import { kubernetes } from './presets/kubernetes.ts';
import { redHat } from './presets/red-hat.ts';
import { sigstore } from './presets/sigstore.ts';

/** Every preset of this version. A new one is a file in presets/ and a line here. */
export const PRESETS: readonly Preset[] = [
  kubernetes,
  distroless,
  chainguard,
  dockerHardenedImages,
  sigstore,
  flux,
  cilium,
  istio,
  github,
  redHat,
];

export const PRESET_NAMES: readonly string[] = PRESETS.map(({ name }) => name);

export function findPreset(name: unknown): Preset | undefined {
  return PRESETS.find((preset) => preset.name === name);
}
