import { type Digest, isDigest } from '../../oci/digest.ts';
import { digestReference, type ImageName, isTag, type Reference, tagReference } from '../../oci/reference.ts';

/** How images are called in a TUF repository: `{registry}/{repository}:{tag}`, and with `@{digest}` for one by its digest. */
export class TargetName {
  readonly #byTag: string;
  readonly #byDigest: string;
  readonly #tagged: RegExp;
  readonly #digested: RegExp;

  /** @throws RangeError: by this template one image's signature could pass for another's */
  constructor(template: string) {
    requireTargetTemplate(template);
    this.#byTag = template;
    this.#byDigest = template.includes(':{tag}')
      ? template.replace(':{tag}', '@{digest}')
      : template.replace('{tag}', '{digest}');
    this.#tagged = pathPattern(this.#byTag, '{tag}', '[A-Za-z0-9_][A-Za-z0-9._-]*');
    this.#digested = pathPattern(this.#byDigest, '{digest}', 'sha(?:256|512):[0-9a-f]+');
  }

  pathOf(name: ImageName, reference: Reference): string {
    if (reference.kind === 'tag') return fill(this.#byTag, name).replace('{tag}', reference.tag);
    return fill(this.#byDigest, name).replace('{digest}', reference.digest);
  }

  /** Which tag or digest a path names, and of which images: those with this among their `groupsOf`. Undefined when of none. */
  referenceIn(path: string): { readonly group: string; readonly reference: Reference } | undefined {
    if (path.length > PATH_LIMIT) return undefined;
    const digested = this.#digested.exec(path);
    const [, before = '', named = '', after = ''] = digested ?? this.#tagged.exec(path) ?? [];
    if (isDigest(named)) return { group: `${before}{digest}${after}`, reference: digestReference(named) };
    return isTag(named) ? { group: `${before}{tag}${after}`, reference: tagReference(named) } : undefined;
  }

  /** What is the same in all paths of an image, under a tag or by digest. */
  groupsOf(name: ImageName): readonly string[] {
    return [fill(this.#byTag, name), fill(this.#byDigest, name)];
  }

  /** Whether the path is this image's: under any tag, or under the digest. */
  isOf(name: ImageName, path: string, digest: Digest): boolean {
    if (path === this.pathOf(name, { kind: 'digest', digest })) return true;
    const [before = '', after = ''] = fill(this.#byTag, name).split('{tag}');
    if (!path.startsWith(before) || !path.endsWith(after)) return false;
    return isTag(path.slice(before.length, path.length - after.length));
  }
}

const TEMPLATE_LIMIT = 256;

/** The longest template, name, tag or digest there are fit. */
const PATH_LIMIT = 1024;

/** @throws RangeError, at start rather than at the first pull */
function requireTargetTemplate(template: string): void {
  const rest = template.replace('{registry}/', '').replace('{repository}', '').replace('{tag}', '');
  const isSeparated = /(?:^|\/)\{repository\}(?:[:/]|$)/.test(template) && /[:/]\{tag\}(?:\/|$)/.test(template);
  if (template.length <= TEMPLATE_LIMIT && isSeparated && /^[A-Za-z0-9._:/@+-]*$/.test(rest)) return;
  throw new RangeError(
    `expected a target such as {registry}/{repository}:{tag}, got ${JSON.stringify(template.slice(0, TEMPLATE_LIMIT))}`,
  );
}

function fill(template: string, name: ImageName): string {
  return template.replace('{registry}', name.upstream).replace('{repository}', name.repository);
}

/** There is one way to read a path: what it names is one of its parts, or the end of one, counted from where no name of an image is. */
function pathPattern(template: string, place: string, named: string): RegExp {
  const [before = '', after = ''] = template.split(place).map(patternOf);
  return new RegExp(`^(${before})(${named})(${after})$`);
}

function patternOf(template: string): string {
  return template.replace(/[.+]/g, '\\$&').replace('{registry}', '[^/]+').replace('{repository}', '.+');
}
