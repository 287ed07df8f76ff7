import { hasNext } from './next-page.ts';
import { UpstreamError } from './upstream-error.ts';

/** distribution-spec, "Listing Tags": one page, in the upstream's order. Names are as they came, unchecked. */
export interface TagPage {
  readonly tags: readonly string[];
  /** Whether the upstream says that another page follows; its link is never followed (CVE-2026-88887). */
  readonly more: boolean;
}

/** @param host named in errors @throws UpstreamError bad-answer */
export function parseTagPage(bytes: Uint8Array, link: string | string[] | undefined, host: string): TagPage {
  const tags = tagsOf(bytes);
  if (tags === undefined)
    throw new UpstreamError('bad-answer', `expected a list of tags from ${host}, got something else`);
  return { tags, more: hasNext(link) };
}

function tagsOf(bytes: Uint8Array): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // Told by the caller: not a list of tags.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('tags' in value)) return undefined;
  // Some registries write null for a repository whose tags are all gone.
  const tags: unknown = value.tags ?? [];
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : undefined;
}
