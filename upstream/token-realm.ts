import { isIP } from 'node:net';
import { bareHost } from './reach.ts';
import { UpstreamError } from './upstream-error.ts';

const REALM_LIMIT = 2048;

/**
 * Names under which strangers can get a host. Sharing one of them says nothing about sharing an owner. A short list for
 * the hosting that registries use; the list of country registries follows from their form (`co.uk`, `com.au`).
 */
const SHARED_PARENTS: ReadonlySet<string> = new Set([
  'amazonaws.com',
  'appspot.com',
  'azurecr.io',
  'azurewebsites.net',
  'cloudfront.net',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'herokuapp.com',
  'netlify.app',
  'ngrok.io',
  'onrender.com',
  'pages.dev',
  'run.app',
  'vercel.app',
  'windows.net',
  'workers.dev',
]);
const COUNTRY_SECOND_LEVEL = /^(?:ac|co|com|edu|gob|gov|mil|ne|net|nom|or|org|sch)\.[a-z]{2}$/;

export interface RealmQuestion {
  readonly upstream: URL;
  readonly realm: string;
  /** Whether credentials would be sent: the address of a stranger is fine for asking anonymously. */
  readonly withCredentials: boolean;
  /** Hosts the operator also allows. */
  readonly tokenHosts: readonly string[];
}

/**
 * Where a token may be asked for. The realm is the upstream's word, and whoever can speak for the upstream once must not
 * get its credentials sent to a host of his choice (CVE-2026-33540, CVE-2026-48978).
 * @throws UpstreamError forbidden-target
 */
export function tokenRealm({ upstream, realm, withCredentials, tokenHosts }: RealmQuestion): URL {
  const url = realm.length <= REALM_LIMIT ? URL.parse(realm) : null;
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new UpstreamError(
      'forbidden-target',
      `expected an http or https token realm from ${upstream.host}, got none`,
    );
  }
  if (url.protocol === 'http:' && upstream.protocol === 'https:') {
    throw new UpstreamError(
      'forbidden-target',
      `expected an https token realm from ${upstream.host}, got http on ${url.host}`,
    );
  }
  const trusted = tokenHosts.includes(url.host) || tokenHosts.includes(url.hostname);
  if (withCredentials && !trusted && !sameOwner(upstream.hostname, url.hostname)) {
    throw new UpstreamError(
      'forbidden-target',
      `expected a token realm on ${upstream.hostname} or a host beside it, got ${url.host}; if it is right, list it in tokenHosts`,
    );
  }
  url.hash = '';
  return url;
}

/** The same host, or names below one parent of at least two labels (`auth.docker.io` and `registry-1.docker.io`). */
function sameOwner(one: string, other: string): boolean {
  if (one === other) return true;
  // The last labels of an address are no parent: 10.0.0.1 and 127.0.0.1 are strangers.
  if (isIP(bareHost(one)) !== 0 || isIP(bareHost(other)) !== 0) return false;
  const parent = commonParent(one.split('.'), other.split('.'));
  if (parent.length < 2) return false;
  const name = parent.join('.');
  return !COUNTRY_SECOND_LEVEL.test(name) && !belowSharedParent(parent);
}

function commonParent(one: readonly string[], other: readonly string[]): string[] {
  const parent: string[] = [];
  for (let back = 1; back <= Math.min(one.length, other.length); back += 1) {
    const label = one.at(-back);
    if (label === undefined || label === '' || label !== other.at(-back)) break;
    parent.unshift(label);
  }
  return parent;
}

/** `eu-west-1.amazonaws.com` is as shared as `amazonaws.com`: nothing tells us where the customers' names begin. */
function belowSharedParent(parent: readonly string[]): boolean {
  return SHARED_PARENTS.has(parent.slice(-2).join('.'));
}
