import { z } from 'zod';
import { parseRepositoryName, parseTag, parseUpstreamName } from '../../oci/reference.ts';
import { RegistryError } from '../../oci/registry-error.ts';
import type { TufConfig, TufMetadata } from '../config.ts';
import { credentialsSchema, toCredentials } from './credentials.ts';
import { duration, Expected, mapping, message, names, text, textAs } from './field.ts';
import { parseServerUrl } from './server.ts';

const METADATA = 'an https:// address, a folder such as ./metadata, or oci://upstream/repository';

/** What a template may add to a name of at most 255 characters. */
const TARGET_LIMIT = 255;

const SERVER_ONLY = 'only where metadata is an http:// or https:// address';

export const tufSchema = mapping('a mapping with type, metadata and root', {
  type: z.literal('tuf'),
  metadata: textAs(METADATA, parseMetadata),
  root: text('the path of a root.json'),
  target: textAs('a name with {repository} and {tag} in it', parseTarget).prefault('{registry}/{repository}:{tag}'),
  roles: names('a list of roles', text('the name of a role')).optional(),
  ca: text('the path of a PEM file').optional(),
  credentials: credentialsSchema.optional(),
  refresh: duration('1s', '24h').prefault('10s'),
}).superRefine(({ metadata, ca, credentials }, context) => {
  if (metadata.kind === 'server') return;
  const hint = metadata.kind === 'image' ? 'the upstream has its own' : 'a folder needs none';
  for (const [key, value] of Object.entries({ ca, credentials })) {
    if (value !== undefined)
      context.addIssue({ code: 'custom', path: [key], message: message(SERVER_ONLY, hint, `${key} here`) });
  }
});

type Written = z.output<typeof tufSchema>;

/** @param path makes the paths of files absolute */
export function toTuf(name: string, written: Written, path: (text: string) => string): TufConfig {
  const { metadata, root, target, roles, ca, credentials, refresh } = written;
  return {
    kind: 'tuf',
    name,
    metadata: metadata.kind === 'folder' ? { kind: 'folder', path: path(metadata.path) } : metadata,
    root: path(root),
    target,
    roles: roles ?? [],
    ...(ca === undefined ? {} : { ca: path(ca) }),
    credentials: toCredentials(credentials, path),
    refresh,
  };
}

function parseMetadata(written: string): TufMetadata | undefined {
  if (/^https?:/i.test(written)) {
    const url = parseServerUrl(written);
    return url === undefined ? undefined : { kind: 'server', url };
  }
  if (/^oci:\/\//i.test(written)) return parseImage(written.slice('oci://'.length));
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(written)) return undefined;
  if (!/^\.{0,2}\//.test(written)) throw new Expected(METADATA, 'a folder begins with ./ or /');
  return { kind: 'folder', path: written };
}

/** The upstream's name up to the first slash, as in references everywhere else. */
function parseImage(written: string): TufMetadata | undefined {
  const [, upstream = '', repository = '', tag = 'latest'] = /^([^/]+)\/(.+?)(?::([^/:]+))?$/.exec(written) ?? [];
  try {
    return {
      kind: 'image',
      upstream: parseUpstreamName(upstream),
      repository: parseRepositoryName(repository),
      tag: parseTag(tag),
    };
  } catch (error) {
    if (error instanceof RegistryError) throw new Expected(METADATA, 'such as oci://ghcr.io/acme/tuf-metadata:latest');
    throw error;
  }
}

/** Without repository and tag in it, the signature of one image would vouch for others. */
function parseTarget(written: string): string | undefined {
  const rest = written.replace('{registry}', '').replace('{repository}', '').replace('{tag}', '');
  if (!written.includes('{repository}') || !written.includes('{tag}')) {
    throw new Expected('a name with {repository} and {tag} in it', 'else one target would vouch for other images too');
  }
  if (/[{}]/.test(rest)) throw new Expected('only {registry}, {repository} and {tag} between braces, each once');
  const separated =
    /^(?:[^{}]*\/)?(?:\{registry\}\/(?:[^{}]*\/)?)?\{repository\}[:/](?:[^{}]*[:/])?\{tag\}(?:\/[^{}]*)?$/;
  if (!separated.test(written)) {
    throw new Expected(
      'a name such as {registry}/{repository}:{tag}',
      'with / or : between the parts, so that no two images share a name',
    );
  }
  return /^[A-Za-z0-9._:/@+-]*$/.test(rest) && rest.length <= TARGET_LIMIT ? written : undefined;
}
