import { UpstreamError } from './upstream-error.ts';

type LinkHeader = string | string[] | undefined;

/** Names, digests and the upstream's cursor fit many times. */
const LINK_LIMIT = 8192;

const NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?=\s*(?:[;,]|$)))/i;

/** RFC 8288: whether some link has the relation `next`; where to is of no interest. */
export function hasNext(link: LinkHeader): boolean {
  return NEXT.test([link].flat().join(', ').slice(0, LINK_LIMIT));
}

/**
 * Where the next page of a list is (distribution-spec, "Listing Referrers"): at the same address but for its query, or our
 * credentials would follow an upstream's word to wherever it says (CVE-2026-88887).
 * @throws UpstreamError bad-answer for a link that cannot be read, forbidden-target for one that leads elsewhere: without the page
 * the list would pass for whole
 */
export function nextPage(link: LinkHeader, from: URL): URL | undefined {
  const header = [link].flat().join(', ');
  if (header.length > LINK_LIMIT) throw unreadable(from, `one of ${header.length} characters`);
  const links = [...header.matchAll(/<([^<>]*)>([^<]*)/g)];
  const targets = new Set(links.filter(([, , parameters]) => hasNext(parameters)).map(([, target]) => target));
  if (targets.size === 0 && !hasNext(header)) return undefined;
  const [target] = targets;
  const url = targets.size === 1 && target !== undefined ? URL.parse(target, from.href) : null;
  if (url === null) throw unreadable(from, targets.size > 1 ? `${targets.size}` : 'none');
  if (url.origin !== from.origin || decoded(url) !== decoded(from) || `${url.username}${url.password}` !== '') {
    throw new UpstreamError(
      'forbidden-target',
      `expected the next page of ${from.host} at the address of the first, got another address`,
    );
  }
  const next = new URL(from);
  next.search = url.search;
  return next;
}

/** Some write the colon of a digest as `%3A`. */
function decoded({ pathname }: URL): string {
  return pathname.replace(/%3a/gi, ':');
}

function unreadable({ host }: URL, got: string): UpstreamError {
  return new UpstreamError('bad-answer', `expected one link to the next page from ${host}, got ${got}`);
}
