import { isUpstreamName } from '../oci/reference.ts';
import { describe, quoted } from './describe.ts';
import type { Complaint, Path } from './problem.ts';
import { isAuthorityName } from './schema/authority.ts';
import { isMapping } from './schema/field.ts';
import { endpointSchema, listenerText, overlap } from './schema/listen.ts';
import { hostName } from './schema/server.ts';
import { didYouMean } from './suggest.ts';

/**
 * What one part of the configuration says of another: names that exist, names that are given twice.
 * Each part is read by itself, so that a mistake somewhere hides none elsewhere.
 */
export function checkNames(root: Readonly<Record<string, unknown>>): Complaint[] {
  return [
    ...checkUpstreams(entriesOf(root.upstreams)),
    ...checkAuthorityNames(entriesOf(root.authorities)),
    ...checkMetadataUpstreams(
      entriesOf(root.authorities),
      entriesOf(root.upstreams).map(([name]) => name),
    ),
    ...checkSignatureRepositories(
      entriesOf(root.authorities),
      entriesOf(root.upstreams).map(([name]) => name),
    ),
    ...checkTrustRoots(entriesOf(root.authorities)),
    ...checkRequired(root.policy, Object.keys(isMapping(root.authorities) ? root.authorities : {})),
    ...checkListeners(root.listen),
  ];
}

/** The entries of a mapping; none for anything else, which the schema complains about. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isMapping(value) ? Object.entries(value) : [];
}

function checkUpstreams(upstreams: readonly [string, unknown][]): Complaint[] {
  const complaints: Complaint[] = [];
  const hosts = new Map<string, string>();
  let standard: string | undefined;
  for (const [name, value] of upstreams) {
    const path = ['upstreams', name];
    if (!isUpstreamName(name)) {
      const expected = 'the name of an upstream: a host in lower case such as docker.io, or one word';
      complaints.push({ path, part: 'key', expected, got: quoted(name) });
    }
    if (!isMapping(value)) continue;
    if (value.default === true && standard !== undefined) {
      const got = `a second default: ${quoted(standard)} is one too`;
      complaints.push({ path: [...path, 'default'], expected: 'one default upstream', got });
    }
    if (value.default === true) standard ??= name;
    complaints.push(...checkHosts(value.hosts, name, hosts));
  }
  return complaints;
}

/** @param taken host names and the upstreams they belong to; this one's are added */
function checkHosts(written: unknown, upstream: string, taken: Map<string, string>): Complaint[] {
  const hosts = (Array.isArray(written) ? written : []).map((host) => hostName().safeParse(host).data);
  return hosts.flatMap((host, at): Complaint[] => {
    const owner = host === undefined ? undefined : taken.get(host);
    if (host !== undefined && owner === undefined) taken.set(host, upstream);
    if (owner === undefined || owner === upstream) return [];
    const got = `${quoted(String(host))}, also of ${quoted(owner)}`;
    return [{ path: ['upstreams', upstream, 'hosts', at], expected: 'a host name that no other upstream has', got }];
  });
}

function checkAuthorityNames(authorities: readonly [string, unknown][]): Complaint[] {
  return authorities
    .filter(([name]) => !isAuthorityName(name))
    .map(([name]) => ({
      path: ['authorities', name],
      part: 'key',
      expected: 'the name of an authority: up to 63 letters, digits, ".", "_" and "-"',
      got: quoted(name),
    }));
}

/** `oci://<upstream>/…`: metadata that one of the upstreams keeps. */
function checkMetadataUpstreams(authorities: readonly [string, unknown][], upstreams: readonly string[]): Complaint[] {
  const known = upstreams.length === 0 ? 'none is configured' : upstreams.join(', ');
  return authorities.flatMap(([name, value]) => {
    const written = isMapping(value) && typeof value.metadata === 'string' ? value.metadata : '';
    const upstream = /^oci:\/\/([^/]+)\//i.exec(written)?.[1];
    if (upstream === undefined || upstreams.includes(upstream)) return [];
    const path = ['authorities', name, 'metadata'];
    const expected = `oci:// and the name of an upstream (${known})`;
    return [{ path, expected, got: quoted(upstream), hint: didYouMean(upstream, upstreams) }];
  });
}

/** Signatures are fetched as images are: with the address, CA and credentials of an upstream. */
function checkSignatureRepositories(
  authorities: readonly [string, unknown][],
  upstreams: readonly string[],
): Complaint[] {
  return authorities.flatMap(([name, value]): Complaint[] => {
    const cosign = isMapping(value) && (value.type === 'cosign' || value.type === 'preset');
    const written = cosign ? value.repository : undefined;
    const [first = ''] = typeof written === 'string' ? written.split('/') : [];
    if (typeof written !== 'string' || !written.includes('/') || !isUpstreamName(first) || upstreams.includes(first)) {
      return [];
    }
    const expected = `a repository of an upstream (${upstreams.join(', ') || 'none is configured'})`;
    const hint = didYouMean(first, upstreams);
    return [{ path: ['authorities', name, 'repository'], expected, got: quoted(written), hint }];
  });
}

function checkRequired(policy: unknown, authorities: readonly string[]): Complaint[] {
  if (!Array.isArray(policy)) return [];
  const known = authorities.length === 0 ? 'none is configured' : authorities.join(', ');
  return policy.flatMap((rule, at) =>
    required(rule, ['policy', at, 'require'])
      .filter(({ name }) => !authorities.includes(name))
      .map(({ path, name }) => ({
        path,
        expected: `the name of an authority (${known})`,
        got: describe(name, path),
        hint: didYouMean(name, authorities),
      })),
  );
}

/** Authorities with one trusted root share it: what one of them begins with, the others do. */
function checkTrustRoots(authorities: readonly [string, unknown][]): Complaint[] {
  const first = new Map<string, { name: string; root: string }>();
  return authorities.flatMap(([name, value]): Complaint[] => {
    const {
      tuf,
      root,
      target = 'trusted_root.json',
    } = isMapping(value) && isMapping(value.trustRoot) ? value.trustRoot : {};
    if (typeof tuf !== 'string' || typeof root !== 'string') return [];
    const key = `${tuf.replace(/\/+$/, '')} ${String(target)}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, { name, root });
    if (other === undefined || other.root === root) return [];
    const expected = `${quoted(other.root)}, as ${other.name} has for the same repository`;
    return [{ path: ['authorities', name, 'trustRoot', 'root'], expected, got: quoted(root) }];
  });
}

/** The names in `require`, whichever way it is written and whatever else is in it. */
function required(rule: unknown, path: Path): { path: Path; name: string }[] {
  const written = isMapping(rule) ? rule.require : undefined;
  const lists: (readonly [Path, unknown])[] = [
    [path, written],
    ...entriesOf(written).map(([key, names]) => [[...path, key], names] as const),
  ];
  return lists.flatMap(([start, names]) =>
    (Array.isArray(names) ? names : []).flatMap((name, at) =>
      typeof name === 'string' ? [{ path: [...start, at], name }] : [],
    ),
  );
}

function checkListeners(written: unknown): Complaint[] {
  const endpoints = (Array.isArray(written) ? written : []).map(
    (entry) => endpointSchema.safeParse(isMapping(entry) ? entry.address : entry).data,
  );
  return endpoints.flatMap((endpoint, at): Complaint[] => {
    const first = endpoints.findIndex((other) => other && endpoint && overlap(other, endpoint));
    const other = endpoints[first];
    if (endpoint === undefined || other === undefined || first >= at) return [];
    const got = `${listenerText(endpoint)}, which listen[${first}] (${listenerText(other)}) takes already`;
    return [{ path: ['listen', at], expected: 'an address and port of its own', got }];
  });
}
