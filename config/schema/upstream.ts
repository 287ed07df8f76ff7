import type { z } from 'zod';
import type { UpstreamName } from '../../oci/reference.ts';
import type { UpstreamConfig } from '../config.ts';
import { credentialsSchema, toCredentials } from './credentials.ts';
import { flag, mapping, names, text } from './field.ts';
import { hostAndPort, hostName, serverUrl } from './server.ts';

/** Docker Hub's references say docker.io, its registry answers elsewhere. */
const REGISTRY_OF: ReadonlyMap<string, string> = new Map([['docker.io', 'https://registry-1.docker.io']]);

export const upstreamSchema = mapping('a mapping such as {} or { url: https://registry.example }', {
  url: serverUrl().optional(),
  default: flag().optional(),
  ca: text('the path of a PEM file').optional(),
  credentials: credentialsSchema.optional(),
  hosts: names('a list of host names', hostName()).optional(),
  tokenHosts: names('a list of hosts', hostAndPort()).optional(),
});

export type WrittenUpstream = z.output<typeof upstreamSchema>;

/** @param path makes the paths of files absolute */
export function toUpstream(
  name: UpstreamName,
  written: WrittenUpstream,
  path: (text: string) => string,
): UpstreamConfig {
  return {
    name,
    url: written.url ?? REGISTRY_OF.get(name) ?? `https://${name}`,
    ...(written.ca === undefined ? {} : { ca: path(written.ca) }),
    credentials: toCredentials(written.credentials, path),
    hosts: written.hosts ?? [],
    tokenHosts: written.tokenHosts ?? [],
  };
}
