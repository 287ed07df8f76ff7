import { echo, PublishError } from './publish-error.ts';

/**
 * What TUF clients agree on: `*` and `?` within one part of a path. Their globs know more (`[a-z]`, `{a,b}`), and not all the
 * same, so a pattern here is made of the letters of image names.
 */
const PART = /^[a-z0-9*?][A-Za-z0-9._*?:@-]*$/;
const LENGTH_LIMIT = 384;
/** A matcher's work grows with the power of the wildcards that can take the same letters. */
const WILDCARDS_LIMIT = 3;

/** The images a delegation is about: `docker.io/acme/*`. @throws PublishError */
export function checkPathPattern(text: string): string {
  const parts = text.split('/');
  if (text.includes('**')) {
    throw new PublishError(
      `expected a pattern such as docker.io/acme/*, got ${echo(text)}: in TUF a * stays within one part, and there is no **; name each depth (docker.io/acme/*, docker.io/acme/*/*)`,
    );
  }
  if (text.length > LENGTH_LIMIT || parts.length < 2 || !parts.every(isPart)) {
    throw new PublishError(`expected a pattern of image names such as docker.io/acme/*, got ${echo(text)}`);
  }
  return text;
}

/** Whether one of the patterns matches the path: as many parts, each matching. */
export function covers(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => matches(pattern, path));
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return wanted.length === given.length && wanted.every((part, at) => glob(part).test(given[at] ?? ''));
}

function glob(part: string): RegExp {
  const literal = part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function isPart(part: string): boolean {
  return PART.test(part) && (part.match(/[*?]/g)?.length ?? 0) <= WILDCARDS_LIMIT;
}
