import type { IncomingHttpHeaders } from 'node:http';
import { MANIFEST_LIMIT } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-type.ts';
import { nextPage } from './next-page.ts';
import { parseReferrerIndex, referrerIndexBytes } from './referrer-index.ts';
import { UpstreamError } from './upstream-error.ts';

interface Page {
  readonly bytes: Uint8Array;
  readonly headers: IncomingHttpHeaders;
}

interface WholeList {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** Each is a request, and a client waits. Registries list 50 or more on a page. */
const PAGE_LIMIT = 100;

/** As many as a manifest may list. */
const ENTRY_LIMIT = 10_000;

/**
 * A list of referrers with all its pages: as it came where there is one page, else joined into one index. At most 100 pages, 10,000
 * entries and MANIFEST_LIMIT bytes in all; a list that cannot be had whole is an error, since what is missing would pass for not there.
 * @param get one page, of at most so many bytes; undefined where there is none
 * @throws UpstreamError, BodyTooLarge
 */
export async function wholeReferrerList(
  first: URL,
  get: (url: URL, limit: number) => Promise<Page | undefined>,
): Promise<WholeList | undefined> {
  const manifests: unknown[] = [];
  const seen = new Set<string>();
  let room = MANIFEST_LIMIT;
  for (let url = first; seen.size < PAGE_LIMIT; ) {
    seen.add(url.search);
    const page = await get(url, room);
    if (page === undefined && seen.size === 1) return undefined;
    if (page === undefined) throw badList(url, 'the next page of a list', 'status 404');
    const contentType = page.headers['content-type'] ?? '';
    const next = nextPage(page.headers.link, url);
    if (next === undefined && seen.size === 1) return { bytes: page.bytes, contentType };
    manifests.push(...parseReferrerIndex(page.bytes, contentType).manifests);
    if (manifests.length > ENTRY_LIMIT) throw badList(url, `at most ${ENTRY_LIMIT} referrers`, 'more');
    if (next === undefined) return { bytes: referrerIndexBytes({ manifests }), contentType: OCI_INDEX };
    if (seen.has(next.search)) throw badList(url, 'another page next', 'one that came before');
    room -= page.bytes.byteLength;
    url = next;
  }
  throw badList(first, `at most ${PAGE_LIMIT} pages of referrers`, 'more');
}

function badList({ host }: URL, expected: string, got: string): UpstreamError {
  return new UpstreamError('bad-answer', `expected ${expected} from ${host}, got ${got}`);
}
