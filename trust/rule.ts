import { type ImageName, nameText, type Reference } from '../oci/reference.ts';

/** One entry of `policy`: which images, and what they must prove. First match wins; no match is a refusal. */
export interface Rule {
  /** Where it stands in the configuration: `policy[0]`. */
  readonly id: string;
  readonly patterns: readonly Pattern[];
  /** Authorities that must vouch: all of them for one and the same digest, or any one. */
  readonly require?: { readonly kind: 'all' | 'any'; readonly authorities: readonly string[] };
  /** `warn`: serve, but record and announce what would have been refused. */
  readonly mode: 'enforce' | 'warn';
  readonly unsafeAllowUnsigned: boolean;
  /** Trust must have been refreshed successfully within this time, in milliseconds. */
  readonly maxAge: number;
  /** A tag must not go back to content that was signed earlier than what it has meant. */
  readonly noRollback?: boolean;
}

/** A compiled image pattern: `*` within one part of the name, `**` across parts, optionally `:tag-glob` at the end. */
export interface Pattern {
  readonly text: string;
  readonly name: RegExp;
  readonly tag: RegExp | undefined;
}

/** The text is taken as `config` checked it: parts of names with `*`, `**` as a whole part, at most one tag glob. */
export function compilePattern(text: string): Pattern {
  const { name, tag } = splitTag(text);
  return {
    text,
    name: new RegExp(`^${nameExpression(name)}$`),
    tag: tag === undefined ? undefined : new RegExp(`^${glob(tag, '.')}$`),
  };
}

/**
 * The first rule that covers the image. A pattern with a tag glob covers tags only: a digest has no tag to match,
 * and content admitted under such a tag is found again through its admission.
 */
export function findRule(rules: readonly Rule[], name: ImageName, reference: Reference): Rule | undefined {
  const text = nameText(name);
  return rules.find((rule) => rule.patterns.some((pattern) => covers(pattern, text, reference)));
}

/** Whether any rule at all could cover something of this repository: what decides if the upstream may be asked. */
export function coversRepository(rules: readonly Rule[], name: ImageName): boolean {
  const text = nameText(name);
  return rules.some((rule) => rule.patterns.some((pattern) => pattern.name.test(text)));
}

function covers(pattern: Pattern, name: string, reference: Reference): boolean {
  if (!pattern.name.test(name)) return false;
  if (pattern.tag === undefined) return true;
  return reference.kind === 'tag' && pattern.tag.test(reference.tag);
}

/** A colon before the last slash is a registry's port; after it, the tag. */
function splitTag(text: string): { name: string; tag: string | undefined } {
  const colon = text.lastIndexOf(':');
  // A pattern without a slash has no repository part, so a colon in it can only be a tag: `**:1.*`.
  if (colon <= text.lastIndexOf('/')) return { name: text, tag: undefined };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

/** `**` stands for one or more parts at either end, and for any number of them in the middle. */
function nameExpression(text: string): string {
  const parts = text.split('/');
  let expression = '';
  parts.forEach((part, at) => {
    const last = at === parts.length - 1;
    if (part !== '**') expression += `${glob(part, '[^/]')}${last ? '' : '/'}`;
    else if (last) expression += '[^/]+(?:/[^/]+)*';
    else expression += at === 0 ? '(?:[^/]+/)+' : '(?:[^/]+/)*';
  });
  return expression;
}

function glob(text: string, any: string): string {
  return text
    .split(/\*+/)
    .map((part) => part.replace(/[.\\+?^$()[\]{}|-]/g, '\\$&'))
    .join(`${any}*`);
}
