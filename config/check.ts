import { parseUpstreamName } from '../oci/reference.ts';
import { checkFiles, type Surroundings } from './check-files.ts';
import { checkNames } from './check-names.ts';
import type { Config } from './config.ts';
import type { ConfigDocument } from './document.ts';
import { complaintsOf } from './issues.ts';
import { type Complaint, type Problem, pathText } from './problem.ts';
import { toAuthority } from './schema/authority.ts';
import { configSchema, type WrittenConfig } from './schema/config-schema.ts';
import { isMapping } from './schema/field.ts';
import { toListeners } from './schema/listen.ts';
import { withPresetType } from './schema/preset.ts';
import { toRule } from './schema/rule.ts';
import { toUpstream } from './schema/upstream.ts';
import { warningsOf } from './warnings.ts';

/** Either a configuration to rely on, or everything that is wrong, in the order of the lines. */
export type Checked =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: undefined; readonly problems: readonly Problem[] };

/** Unknown values to a `Config`, or every problem at once: of each field, of names between parts, of files outside. */
export async function checkConfig(document: ConfigDocument, surroundings: Surroundings): Promise<Checked> {
  const root = withPresetTypes(withoutEmptySections(document.value));
  const parsed = configSchema.safeParse(root);
  const complaints = parsed.success ? [] : complaintsOf(parsed.error.issues, root);
  if (isMapping(root)) complaints.push(...checkNames(root), ...(await checkFiles(root, surroundings)));
  const problems = [...document.problems, ...complaints.map((complaint) => located(complaint, document))];
  if (!parsed.success || problems.length > 0) return { config: undefined, problems: problems.sort(byPlace) };
  return { config: toConfig(parsed.data, document, surroundings), problems: [] };
}

const SECTIONS = ['cache', 'upstreams', 'authorities', 'policy', 'log', 'shutdown', 'status'];

/**
 * A section whose every line is a comment is left out, and an upstream of which nothing is said has its defaults.
 * Elsewhere a key without a value is an error: `require:` with nothing behind it must not mean that nothing is required.
 */
function withoutEmptySections(value: unknown): unknown {
  if (value === null) return {};
  if (!isMapping(value)) return value;
  const written = Object.entries(value).filter(([key, section]) => section !== null || !SECTIONS.includes(key));
  const root: Record<string, unknown> = Object.assign(Object.create(null), Object.fromEntries(written));
  if (isMapping(root.upstreams)) {
    const upstreams = Object.entries(root.upstreams).map(([name, upstream]) => [name, upstream ?? {}] as const);
    root.upstreams = Object.assign(Object.create(null), Object.fromEntries(upstreams));
  }
  return root;
}

function withPresetTypes(root: unknown): unknown {
  if (!isMapping(root) || !isMapping(root.authorities)) return root;
  const authorities = Object.entries(root.authorities).map(
    ([name, authority]) => [name, isMapping(authority) ? withPresetType(authority) : authority] as const,
  );
  return Object.assign(Object.create(null), root, {
    authorities: Object.assign(Object.create(null), Object.fromEntries(authorities)),
  });
}

function toConfig(written: WrittenConfig, document: ConfigDocument, { path }: Surroundings): Config {
  const upstreams = Object.entries(written.upstreams);
  const standard = upstreams.find(([, upstream]) => upstream.default)?.[0];
  const config: Omit<Config, 'warnings'> = {
    listen: toListeners(written.listen, path),
    data: path(written.data),
    cache: written.cache,
    upstreams: upstreams.map(([name, upstream]) => toUpstream(parseUpstreamName(name), upstream, path)),
    defaultUpstream: standard === undefined ? undefined : parseUpstreamName(standard),
    authorities: Object.entries(written.authorities).map(([name, authority]) => toAuthority(name, authority, path)),
    policy: written.policy.map((rule, at) => toRule(rule, document.placeOf(['policy', at], 'value').line)),
    pullWindow: written.pullWindow,
    log: written.log,
    shutdown: written.shutdown,
    status: written.status,
  };
  return { ...config, warnings: warningsOf(config) };
}

function located({ path, part = 'value', expected, got, hint }: Complaint, document: ConfigDocument): Problem {
  const place = document.placeOf(path, part);
  return { path: pathText(path), ...place, expected, got, ...(hint === undefined ? {} : { hint }) };
}

function byPlace(one: Problem, other: Problem): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}
