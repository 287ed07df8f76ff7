import { type ImageName, isTag, nameText, parseTag, type Tag, tagReference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { coversRepository, findRule, type Rule } from '../trust/rule.ts';
import { refused } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { DeniedError } from './denial.ts';
import type { Upstreams } from './upstreams.ts';
import type { Verdicts } from './verdicts.ts';

/** One page of tags, and the tag to continue after when the upstream has more. */
export interface TagPage {
  readonly tags: readonly Tag[];
  readonly next: string | undefined;
}

export interface TagQuery {
  readonly n: number | undefined;
  readonly last: string | undefined;
}

/** distribution-spec, "Listing Tags", leaves the largest page to the registry; the larger ask gets this many. */
const PAGE_LIMIT = 1000;

/** The story of `GET /v2/<name>/tags/list`: the upstream's page, without the tags that policy refuses now. */
export class TagLists {
  readonly #rules: readonly Rule[];
  readonly #verdicts: Verdicts;
  readonly #upstreams: Upstreams;

  constructor(parts: { rules: readonly Rule[]; verdicts: Verdicts; upstreams: Upstreams }) {
    this.#rules = parts.rules;
    this.#verdicts = parts.verdicts;
    this.#upstreams = parts.upstreams;
  }

  /** @throws DeniedError NO_RULE, RegistryError NAME_UNKNOWN, UpstreamError */
  async page(name: ImageName, query: TagQuery): Promise<TagPage> {
    if (!coversRepository(this.#rules, name)) {
      throw new DeniedError(nameText(name), refused('NO_RULE', `no policy rule covers ${nameText(name)}`));
    }
    const asked = {
      n: Math.min(query.n ?? PAGE_LIMIT, PAGE_LIMIT),
      ...(query.last === undefined ? {} : { last: query.last }),
    };
    if (asked.n === 0) return { tags: [], next: undefined };
    const page = await this.#upstreams.of(name).tags(name.repository, asked);
    if (page === undefined) throw new RegistryError('NAME_UNKNOWN', `${nameText(name)} is unknown to the upstream`);
    // An upstream that ignores `last` must not send its client round in circles.
    const after = query.last === undefined ? 0 : page.tags.indexOf(query.last) + 1;
    // What no client could ask for is not listed.
    const listed = page.tags.slice(after).filter(isTag);
    // One that ignores `n` must not make one request cost more verdicts than a page has.
    const tags = listed.slice(0, asked.n);
    const more = page.more || listed.length > tags.length;
    if (more && tags.length === 0) throw new UpstreamError('bad-answer', 'expected tags before a next page, got none');
    const admissible = await Promise.all(tags.map((tag) => this.#couldBeAdmitted(name, tag)));
    return { tags: tags.filter((_, at) => admissible[at]), next: more ? tags.at(-1) : undefined };
  }

  /** Where signed metadata knows tags it is asked; a tag that only the upstream's word could answer is kept unasked. */
  async #couldBeAdmitted(name: ImageName, tag: Tag): Promise<boolean> {
    const rule = findRule(this.#rules, name, tagReference(tag));
    if (rule === undefined) return false;
    if (rule.unsafeAllowUnsigned || rule.mode === 'warn') return true;
    // Listing admits nothing, so what could not be found out stays on the list.
    return (await this.#verdicts.of(name, tagReference(tag))).outcome !== 'refused';
  }
}

/** @throws RegistryError PAGINATION_NUMBER_INVALID, TAG_INVALID */
export function parseTagQuery(n: string | undefined, last: string | undefined): TagQuery {
  if (n !== undefined && !/^\d{1,9}$/.test(n)) {
    throw new RegistryError(
      'PAGINATION_NUMBER_INVALID',
      `expected n as a whole number, got ${JSON.stringify(n.slice(0, 40))}`,
    );
  }
  return {
    n: n === undefined ? undefined : Number(n),
    last: last === undefined || last === '' ? undefined : parseTag(last),
  };
}
