import { z } from 'zod';
import type { AuthorityConfig } from '../config.ts';
import { didYouMean } from '../suggest.ts';
import { cosignSchema, toCosign } from './cosign.ts';
import { isMapping, message } from './field.ts';
import { notarySchema, toNotary } from './notary.ts';
import { presetSchema, toPreset } from './preset.ts';
import { toTuf, tufSchema } from './tuf.ts';

/** The kinds of authority, by `type`: a new one is a schema here and a line in `toAuthority`. */
const KINDS = [notarySchema, tufSchema, cosignSchema] as const;

const TYPES = KINDS.map((kind) => kind.shape.type.value);
const SUPPORTED = TYPES.join(', ');

/** A name is part of file names and of log lines. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** One that names a preset has its type from there (`withPresetType`). */
export const authoritySchema = z.discriminatedUnion('type', [presetSchema, ...KINDS], {
  error: ({ input }) => typeMessage(input),
});

export type WrittenAuthority = z.output<typeof authoritySchema>;

/** @param path makes the paths of files absolute */
export function toAuthority(name: string, written: WrittenAuthority, path: (text: string) => string): AuthorityConfig {
  switch (written.type) {
    case 'notary':
      return toNotary(name, written, path);
    case 'tuf':
      return toTuf(name, written, path);
    case 'cosign':
      return toCosign(name, written, path);
    case 'preset':
      return toPreset(name, written, path);
  }
}

export function isAuthorityName(text: string): boolean {
  return NAME.test(text);
}

function typeMessage(input: unknown): string {
  if (!isMapping(input)) return `a mapping with a type (${SUPPORTED}) or a preset`;
  const expected = `the type of an authority (${SUPPORTED}), or preset in its place`;
  return message(expected, typeof input.type === 'string' ? didYouMean(input.type, TYPES) : undefined);
}
