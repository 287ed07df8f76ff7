import { z } from 'zod';
import type { RuleConfig } from '../config.ts';
import { duration, exactlyOne, flag, mapping, names, text, textAs } from './field.ts';
import { checkImagePattern } from './image-pattern.ts';

const IMAGES = 'a pattern such as docker.io/library/*, or a list of patterns';
const REQUIRE = 'a list of authorities, { all: [...] } or { any: [...] }';

const pattern = textAs('a pattern such as docker.io/library/*', checkImagePattern);
const authorities = names('a list of authorities', text('the name of an authority'));
const ONE_WAY = exactlyOne(['all', 'any']);

const ONE_DEMAND = exactlyOne(
  ['require', 'unsafeAllowUnsigned'],
  'a rule names who must vouch for its images, or says that unsigned ones are served',
);

export const ruleSchema = mapping('a mapping with images and require', {
  images: z.union([pattern, names(IMAGES, pattern)], { error: IMAGES }),
  require: z
    .union(
      [
        authorities,
        mapping(REQUIRE, { all: authorities.optional(), any: authorities.optional() }).refine(
          ONE_WAY.check,
          ONE_WAY.params,
        ),
      ],
      { error: REQUIRE },
    )
    .optional(),
  mode: z.enum(['enforce', 'warn'], { error: 'enforce or warn' }).prefault('enforce'),
  unsafeAllowUnsigned: flag().prefault(false),
  freshness: mapping('a mapping with maxAge', {
    maxAge: duration('1s', '365d').prefault('72h'),
    noRollback: flag().prefault(false),
  }).prefault({}),
}).refine(ONE_DEMAND.check, ONE_DEMAND.params);

export type WrittenRule = z.output<typeof ruleSchema>;

export function toRule(written: WrittenRule, line: number): RuleConfig {
  return {
    images: typeof written.images === 'string' ? [written.images] : written.images,
    require: toRequire(written.require),
    mode: written.mode,
    unsafeAllowUnsigned: written.unsafeAllowUnsigned,
    maxAge: written.freshness.maxAge,
    noRollback: written.freshness.noRollback,
    line,
  };
}

function toRequire(written: WrittenRule['require']): RuleConfig['require'] {
  if (written === undefined) return undefined;
  if ('any' in written && written.any !== undefined) return { kind: 'any', authorities: written.any };
  if ('all' in written && written.all !== undefined) return { kind: 'all', authorities: written.all };
  return Array.isArray(written) ? { kind: 'all', authorities: written } : undefined;
}
