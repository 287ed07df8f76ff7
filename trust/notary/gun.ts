import { type ImageName, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import { echo } from '../metadata/metadata-error.ts';

declare const brand: unique symbol;

/**
 * Globally unique name: what Notary calls a repository of trust data, such as `docker.io/library/alpine`. Its parts are
 * not empty, nor `.` or `..`, so it stays where it is put in a URL path.
 */
export type Gun = string & { readonly [brand]: 'Gun' };

/** What a template may put around registry and repository, whose lengths have limits of their own. */
const TEMPLATE_LIMIT = 256;

const PART = /^[A-Za-z0-9_][A-Za-z0-9._:-]*$/;

/** @throws RangeError: the template, which an operator wrote, makes no usable name. */
export function gunOf(template: string, name: ImageName): Gun {
  const text = template.replaceAll('{registry}', name.upstream).replaceAll('{repository}', name.repository);
  if (!isGun(text)) throw notTemplate(template);
  return text;
}

/** @throws RangeError when it is none */
export function parseGun(text: string): Gun {
  if (!isGun(text)) throw new RangeError(`expected the name of a repository of trust data, got ${echo(text)}`);
  return text;
}

function isGun(text: string): text is Gun {
  return text.split('/').every((part) => PART.test(part));
}

/** @throws RangeError, at start rather than at the first pull. */
export function requireGunTemplate(template: string): void {
  if (template.length > TEMPLATE_LIMIT) throw notTemplate(template.slice(0, TEMPLATE_LIMIT));
  gunOf(template, { upstream: parseUpstreamName('registry.example:5000'), repository: parseRepositoryName('a/b') });
}

function notTemplate(template: string): RangeError {
  return new RangeError(`expected a gun such as {registry}/{repository}, got ${JSON.stringify(template)}`);
}
