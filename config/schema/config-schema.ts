import { z } from 'zod';
import { LOG_LEVELS } from '../config.ts';
import { authoritySchema } from './authority.ts';
import { duration, mapping, size, text } from './field.ts';
import { listenSchema } from './listen.ts';
import { ruleSchema } from './rule.ts';
import { upstreamSchema } from './upstream.ts';

/** Every key a configuration file may have, with its default. docs/configuration.md is compared with it by a test. */
export const configSchema = mapping('a mapping with listen, upstreams, policy, …', {
  listen: listenSchema.prefault('127.0.0.1:5000'),
  data: text('the path of a folder').prefault('./docklock-data'),
  cache: mapping('a mapping with maxSize', { maxSize: size().prefault('50GiB') }).prefault({}),
  upstreams: z.record(z.string(), upstreamSchema, { error: 'a mapping from names to upstreams' }).prefault({}),
  authorities: z.record(z.string(), authoritySchema, { error: 'a mapping from names to authorities' }).prefault({}),
  policy: z.array(ruleSchema, { error: 'a list of rules' }).prefault([]),
  pullWindow: duration('1s', '24h').prefault('15m'),
  log: mapping('a mapping with level', {
    level: z.enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` }).prefault('info'),
  }).prefault({}),
  shutdown: mapping('a mapping with drain and notice', {
    drain: duration('0s', '1h').prefault('30s'),
    notice: duration('0s', '10m').prefault('10s'),
  }).prefault({}),
  status: mapping('a mapping with warnBefore', { warnBefore: duration('0s', '365d').prefault('14d') }).prefault({}),
});

export type WrittenConfig = z.output<typeof configSchema>;
