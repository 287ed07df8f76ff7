import type { Digest } from '../../oci/digest.ts';
import { type ImageName, parseTag, type Reference } from '../../oci/reference.ts';
import { RegistryError } from '../../oci/registry-error.ts';

/** How images are called in a TUF repository: `{registry}/{repository}:{tag}`, and with `@{digest}` for one by its digest. */
export class TargetName {
  readonly #byTag: string;
  readonly #byDigest: string;

  /** @throws RangeError: by this template one image's signature could pass for another's */
  constructor(template: string) {
    requireTargetTemplate(template);
    this.#byTag = template;
    this.#byDigest = template.includes(':{tag}')
      ? template.replace(':{tag}', '@{digest}')
      : template.replace('{tag}', '{digest}');
  }

  pathOf(name: ImageName, reference: Reference): string {
    if (reference.kind === 'tag') return fill(this.#byTag, name).replace('{tag}', reference.tag);
    return fill(this.#byDigest, name).replace('{digest}', reference.digest);
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

function isTag(text: string): boolean {
  try {
    parseTag(text);
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}
