import type { Tag } from '../oci/reference.ts';

const COLLATOR = new Intl.Collator('en', { numeric: true });

/**
 * In the order in which clients are likely to ask: `latest`, then by name with the highest version first. Signed metadata
 * says nothing of when a tag was made.
 */
export function likeliestFirst(tags: Iterable<Tag>): readonly Tag[] {
  return [...tags].sort((one, other) => {
    const latest = Number(other === 'latest') - Number(one === 'latest');
    return latest === 0 ? COLLATOR.compare(other, one) : latest;
  });
}
