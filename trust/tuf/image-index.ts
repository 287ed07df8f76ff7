import type { ImageName, Reference, Tag } from '../../oci/reference.ts';
import { likeliestFirst } from '../tag-order.ts';
import type { Repository } from './repository.ts';
import type { TargetName } from './target-name.ts';

/** From images to what some role has for them. Made when it is first asked, once per state of a repository. */
export class ImageIndex {
  readonly #names: TargetName;
  readonly #repository: Pick<Repository, 'targets' | 'roles'>;
  #groups: ReadonlyMap<string, ReadonlyMap<string, Reference>> | undefined;
  readonly #ordered = new Map<string, readonly Reference[]>();

  constructor(names: TargetName, repository: Pick<Repository, 'targets' | 'roles'>) {
    this.#names = names;
    this.#repository = repository;
  }

  /** Tags, the likeliest first, and then digests. Whether one of them means anything now is for a search to say. */
  referencesOf(name: ImageName): readonly Reference[] {
    this.#groups ??= this.#collect();
    const groups = this.#groups;
    return this.#names.groupsOf(name).flatMap((group) => {
      const references = groups.get(group);
      if (references === undefined) return [];
      const ordered = this.#ordered.get(group) ?? inOrder([...references.values()]);
      this.#ordered.set(group, ordered);
      return ordered;
    });
  }

  #collect(): ReadonlyMap<string, ReadonlyMap<string, Reference>> {
    const { targets, roles } = this.#repository;
    const groups = new Map<string, Map<string, Reference>>();
    for (const { metadata } of [targets, ...roles.values()]) {
      for (const path of metadata.targets.keys()) {
        const found = this.#names.referenceIn(path);
        if (found === undefined) continue;
        const known = groups.get(found.group);
        if (known === undefined) groups.set(found.group, new Map([[path, found.reference]]));
        else known.set(path, found.reference);
      }
    }
    return groups;
  }
}

function inOrder(references: readonly Reference[]): readonly Reference[] {
  const tags = new Map<Tag, Reference>(
    references.flatMap((reference) => (reference.kind === 'tag' ? [[reference.tag, reference]] : [])),
  );
  const digests = references.filter(({ kind }) => kind === 'digest');
  return [...likeliestFirst(tags.keys()).flatMap((tag) => tags.get(tag) ?? []), ...digests];
}
