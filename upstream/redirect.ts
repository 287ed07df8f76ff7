import { UpstreamError } from './upstream-error.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Signed URLs of object stores run to 2 to 4 KB. */
const LOCATION_LIMIT = 8192;

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Where a redirect leads. Addresses are not judged here, but where they are connected to.
 * @throws UpstreamError bad-answer for a target that is none, forbidden-target for one that would weaken the connection
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const target = location !== undefined && location.length <= LOCATION_LIMIT ? URL.parse(location, from.href) : null;
  if (target === null) {
    throw new UpstreamError('bad-answer', `expected a URL in the redirect of ${from.host}, got none`);
  }
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw new UpstreamError(
      'forbidden-target',
      `expected a redirect of ${from.host} to http or https, got ${target.protocol}`,
    );
  }
  // Downgrade: what TLS protected up to here would go on in the open.
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new UpstreamError(
      'forbidden-target',
      `expected a redirect of ${from.host} to stay on https, got http on ${target.host}`,
    );
  }
  // The upstream would choose the credentials of our request.
  if (target.username !== '' || target.password !== '') {
    throw new UpstreamError('forbidden-target', `expected a redirect of ${from.host} without credentials, got some`);
  }
  target.hash = '';
  return target;
}
