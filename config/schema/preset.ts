import { z } from 'zod';
import type { CosignConfig } from '../cosign-config.ts';
import type { Preset } from '../preset.ts';
import { findPreset, PRESET_NAMES } from '../preset-catalog.ts';
import { imagesOf } from '../preset-scope.ts';
import { didYouMean } from '../suggest.ts';
import { type Clash, clashes, cosignFields, type Fields, toCosign } from './cosign.ts';
import { Expected, mapping, message, textAs } from './field.ts';

const NAME = `the name of a preset (${PRESET_NAMES.join(', ')})`;
const OWNER = 'a user or organization of GitHub, such as acme';
const REPO = 'the name of a repository without its owner, such as app';

/** Stands for the key that a preset brings along, which has no path. */
const BROUGHT = 'brought along';

/** A preset, and whatever of it is to be otherwise: every field of a cosign authority overrides. */
export const presetSchema = mapping('a mapping with preset', {
  type: z.literal('preset'),
  preset: textAs(NAME, parsePreset),
  owner: textAs(OWNER, (written) =>
    /^[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}$/.test(written) ? written : undefined,
  ).optional(),
  repo: textAs(REPO, (written) => (/^(?!\.+$)[A-Za-z0-9._-]{1,100}$/.test(written) ? written : undefined)).optional(),
  ...cosignFields,
}).superRefine((written, context) => {
  for (const { path, expected, hint, got } of presetClashes(written)) {
    context.addIssue({ code: 'custom', path: [...path], message: message(expected, hint, got) });
  }
});

type Written = z.output<typeof presetSchema>;

/** An authority that names a preset is of the type `preset`, which nobody has to write. */
export function withPresetType(authority: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (authority.preset === undefined || authority.type !== undefined) return authority;
  return Object.assign(Object.create(null), authority, { type: 'preset' });
}

/** @param path makes the paths of files absolute */
export function toPreset(name: string, written: Written, path: (text: string) => string): CosignConfig {
  const { preset } = written;
  const config = toCosign(name, { ...written, ...expanded(written), type: 'cosign' }, path);
  return {
    ...config,
    signer: withKeys(config.signer, written),
    preset: { name: preset.name, version: preset.version, images: imagesOf(preset, written.owner) },
  };
}

function withKeys(
  signer: CosignConfig['signer'],
  { preset: { verifies }, key, keys }: Written,
): CosignConfig['signer'] {
  if (signer.kind !== 'keys') return signer;
  if (verifies.kind === 'key-file' && verifies.sha256 !== undefined) return { ...signer, sha256: verifies.sha256 };
  const own = key !== undefined || keys !== undefined;
  return own || verifies.kind !== 'key' ? signer : { ...signer, paths: [], embedded: [verifies.pem] };
}

/** The fields that the preset stands for, under those that are written. */
function expanded({ preset, owner = '', repo, type, ...written }: Written): Fields {
  const { verifies } = preset;
  switch (verifies.kind) {
    case 'identity':
      return { issuer: verifies.issuer, identity: verifies.identity, ...written };
    case 'github-owner': {
      const source = `https://github.com/${owner}${repo === undefined ? '' : `/${repo}`}`;
      const claim = repo === undefined ? { sourceRepositoryOwnerURI: source } : { sourceRepositoryURI: source };
      const { issuer, predicateType } = verifies;
      const certificate = { ...claim, ...written.certificate };
      return { issuer, predicateType, identity: `${source}/*`, ...written, certificate };
    }
    case 'key':
      return written.keys === undefined ? { key: BROUGHT, ...written } : written;
    case 'key-file':
      return written;
  }
}

/** What a field asks for that this preset cannot give; only then what is wrong with the authority it comes to. */
function presetClashes(written: Written): readonly Clash[] {
  const own = [...ownerClashes(written), ...signerClashes(written)];
  return own.length > 0 ? own : clashes(expanded(written));
}

function ownerClashes({ preset, owner, repo }: Written): Clash[] {
  if (preset.verifies.kind !== 'github-owner') {
    const stray = Object.entries({ owner, repo }).filter(([, value]) => value !== undefined);
    return stray.map(([name]) => ({
      path: [name],
      expected: 'it only beside preset: github',
      got: `it beside preset: ${preset.name}`,
    }));
  }
  if (owner !== undefined) return [];
  return [
    { path: ['owner'], expected: OWNER, hint: 'whose attestations are to count is for you to say', got: 'nothing' },
  ];
}

const KEYED = ['key', 'keys'] as const;
const KEYLESS = ['issuer', 'identity'] as const;

/** Another kind of signer is another authority: what the preset says of its publisher would hold no more. */
function signerClashes(written: Written): Clash[] {
  const { name, verifies } = written.preset;
  const keyed = verifies.kind === 'key' || verifies.kind === 'key-file';
  const stray = (keyed ? KEYLESS : KEYED).filter((field) => written[field] !== undefined);
  if (stray.length > 0) {
    const expected = keyed ? `a key, as ${name} is verified by` : `issuer and identity, as ${name} is verified by`;
    const hint = 'for another kind of signer write type: cosign without preset';
    return stray.map((field) => ({ path: [field], expected, hint, got: `${field} beside preset: ${name}` }));
  }
  if (verifies.kind !== 'key-file' || written.key !== undefined || written.keys !== undefined) return [];
  const from = verifies.downloads.map(({ url }) => url).join(' or ');
  const hint = `download ${from}; docklock presets ${name} says more`;
  return [{ path: ['key'], expected: "the path of the publisher's public key", hint, got: 'nothing' }];
}

function parsePreset(written: string): Preset {
  const preset = findPreset(written);
  if (preset === undefined) throw new Expected(NAME, didYouMean(written, PRESET_NAMES));
  return preset;
}
