import { mediaTypeOf, OCI_INDEX } from '../oci/media-type.ts';
import { UpstreamError } from './upstream-error.ts';

/** What a list of referrers has: descriptors as they came, unchecked but for how deep they are nested. */
export interface ReferrerIndex {
  readonly manifests: readonly unknown[];
}

/** image-spec, "Content Descriptors": three are enough for `platform`'s lists; the rest is for fields to come. */
const DESCRIPTOR_DEPTH = 8;

/** distribution-spec, "Listing Referrers". @throws UpstreamError bad-answer */
export function parseReferrerIndex(bytes: Uint8Array, contentType: string): ReferrerIndex {
  const index = mediaTypeOf(contentType) === OCI_INDEX ? parseJson(bytes) : undefined;
  if (typeof index !== 'object' || index === null || !('manifests' in index) || !Array.isArray(index.manifests)) {
    throw new UpstreamError('bad-answer', 'expected an OCI index of referrers, got something else');
  }
  if (!index.manifests.every((entry) => isNestedWithin(entry, DESCRIPTOR_DEPTH))) {
    throw new UpstreamError('bad-answer', `expected descriptors nested ${DESCRIPTOR_DEPTH} deep at most, got deeper`);
  }
  return { manifests: index.manifests };
}

export function referrerIndexBytes({ manifests }: ReferrerIndex): Uint8Array {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

/** What is nested without end overflows the stack of who writes it again, and of who reads it. */
function isNestedWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((part) => isNestedWithin(part, depth - 1));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new UpstreamError('bad-answer', 'expected an OCI index of referrers, got no JSON', { cause });
  }
}
