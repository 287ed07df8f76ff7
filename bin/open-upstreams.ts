import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import type { UpstreamName } from '../oci/reference.ts';
import { RegistryClient } from '../upstream/registry-client.ts';
import { credentialsOf } from './read-credentials.ts';

/** A client for each configured upstream; each closes itself when its time has come. */
export async function openUpstreams(
  config: Pick<Config, 'upstreams'>,
  log: Log,
  now: () => Date,
  onClose: (closer: () => void) => void,
): Promise<ReadonlyMap<UpstreamName, RegistryClient>> {
  const clients = new Map<UpstreamName, RegistryClient>();
  for (const { name, url, ca, credentials, tokenHosts } of config.upstreams) {
    const pem = ca === undefined ? {} : { ca: await readFile(ca, 'utf8') };
    const client = new RegistryClient({
      name,
      url,
      ...pem,
      credentials: credentialsOf(credentials),
      tokenHosts,
      log,
      now,
    });
    clients.set(name, client);
    onClose(() => client.close());
  }
  return clients;
}
