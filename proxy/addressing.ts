import {
  type ImageName,
  isUpstreamName,
  parseRepositoryName,
  type RepositoryName,
  type UpstreamName,
} from '../oci/reference.ts';
import { refused } from '../trust/verdict.ts';
import { DeniedError } from './denial.ts';

/** What the configuration says about finding the upstream of a request. */
export interface AddressBook {
  readonly upstreams: readonly UpstreamName[];
  readonly defaultUpstream: UpstreamName | undefined;
  /** Host names on which the gateway answers for one upstream, without a port, lower case. */
  readonly hosts: ReadonlyMap<string, UpstreamName>;
}

/** The part of a request that says which image is meant, all of it the client's text. */
export interface Asked {
  readonly host: string | undefined;
  /** The distribution-spec's `ns` query ("Proxying"), sent by containerd. */
  readonly ns: string | undefined;
  readonly path: string;
}

const DOCKER_HUB = 'docker.io';

/**
 * The upstream's name of the image, whichever of the four ways it was asked for: a host name of its own, `ns`, the
 * upstream as first path part, or the default upstream. Policy sees only this name.
 * @throws RegistryError NAME_INVALID; DeniedError NO_RULE for a registry that is not configured
 */
export function addressOf(book: AddressBook, asked: Asked): ImageName {
  const named = upstreamNamed(book, asked);
  const first = asked.path.slice(0, Math.max(0, asked.path.indexOf('/')));
  const rest = asked.path.slice(first.length + 1);
  if (named !== undefined) {
    // A hosts.toml whose server has a path sends the upstream twice: as `ns` and as first path part.
    return image(named, first === named ? rest : asked.path);
  }
  // An upstream's name alone lacks a repository; it must not be looked up as one of the default upstream.
  const byPath = book.upstreams.find((upstream) => upstream === first || upstream === asked.path);
  if (byPath !== undefined) return image(byPath, asked.path.slice(byPath.length + 1));
  // A first part that can only be a host must not be looked up as a repository of the default upstream.
  if (looksLikeHost(first)) throw notConfigured(book, first, asked.path);
  if (book.defaultUpstream === undefined) throw notConfigured(book, first, asked.path);
  return image(book.defaultUpstream, asked.path);
}

function upstreamNamed(book: AddressBook, { host, ns, path }: Asked): UpstreamName | undefined {
  const byHost = host === undefined ? undefined : book.hosts.get(hostWithoutPort(host));
  if (ns === undefined) return byHost;
  const byNs = book.upstreams.find((upstream) => upstream === ns);
  if (byNs === undefined) throw notConfigured(book, ns, path);
  return byNs;
}

function image(upstream: UpstreamName, path: string): ImageName {
  const repository = parseRepositoryName(path);
  return { upstream, repository: isOfficial(upstream, repository) ? official(repository) : repository };
}

/** Docker Hub's one-part names live under `library/`; clients add it for docker.io but not for a gateway's address. */
function isOfficial(upstream: UpstreamName, repository: RepositoryName): boolean {
  return upstream === DOCKER_HUB && !repository.includes('/');
}

function official(repository: RepositoryName): RepositoryName {
  return parseRepositoryName(`library/${repository}`);
}

function looksLikeHost(part: string): boolean {
  return part.includes('.') || part.includes(':') || part === 'localhost';
}

function hostWithoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

function notConfigured(book: AddressBook, upstream: string, path: string): DeniedError {
  const shown = isUpstreamName(upstream) ? upstream : 'this registry';
  const known = book.upstreams.join(', ') || 'none';
  return new DeniedError(
    /^[\x21-\x7e]{1,255}$/.test(path) ? path : 'the image',
    refused('NO_RULE', `no upstream is configured for ${shown} (configured: ${known})`),
  );
}
