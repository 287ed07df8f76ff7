import { echo, malformed } from '../metadata/metadata-error.ts';

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'class'; readonly inside: ReadonlySet<string>; readonly negated: boolean };

type Part = { readonly literal: string } | { readonly tokens: readonly Token[] };

/** A PATHPATTERN of a delegation, TUF specification 4.5: `*`, `?` and `[...]`, none of which crosses a `/`. */
export interface PathPattern {
  readonly text: string;
  readonly parts: readonly Part[];
}

/** The longest name clients send with the longest tag, and a template around it. */
const PATTERN_LENGTH_LIMIT = 1024;

/** Longest list of letters between brackets. */
const CLASS_LIMIT = 256;

/**
 * TUF's clients match with the globs of their languages, which differ beyond `*`, `?` and plain `[...]`. A pattern that one client
 * takes for a brace list and another for a name hands the same image to different signers, so it is refused.
 */
const AMBIGUOUS = /[{}()|\\]|(?:^|\/)[!#]|\[\^|\[[:.=]/;

/** @throws MetadataError METADATA_INVALID */
export function parsePathPattern(text: string, where: string): PathPattern {
  if (text.length > PATTERN_LENGTH_LIMIT || AMBIGUOUS.test(text)) {
    throw malformed(where, 'a path pattern of names, *, ? and [...] only', echo(text));
  }
  return { text, parts: text.split('/').map((part) => parsePart(part, where)) };
}

/** @param path its parts */
export function matchesPattern({ parts }: PathPattern, path: readonly string[]): boolean {
  return (
    parts.length === path.length &&
    parts.every((part, at) => {
      const text = path[at] ?? '';
      return 'literal' in part ? part.literal === text : matchesTokens(part.tokens, text);
    })
  );
}

function parsePart(part: string, where: string): Part {
  if (!/[*?[]/.test(part)) return { literal: part };
  const tokens: Token[] = [];
  for (let at = 0; at < part.length; ) {
    const letter = part.charAt(at);
    if (letter === '[') {
      const end = part.indexOf(']', at + 2);
      if (end < 0) throw malformed(where, 'a path pattern whose [ has its ]', echo(part));
      tokens.push(parseClass(part.slice(at + 1, end), where));
      at = end + 1;
      continue;
    }
    if (letter === '*') tokens.push({ kind: 'star' });
    else tokens.push(letter === '?' ? { kind: 'any' } : { kind: 'literal', text: letter });
    at += 1;
  }
  return { tokens };
}

function parseClass(body: string, where: string): Token {
  const negated = body.startsWith('!');
  const letters = negated ? body.slice(1) : body;
  const inside = new Set<string>();
  for (let at = 0; at < letters.length; at += 1) {
    const from = letters.charCodeAt(at);
    const isRange = letters.charAt(at + 1) === '-' && at + 2 < letters.length;
    const to = isRange ? letters.charCodeAt(at + 2) : from;
    if (to < from || to - from > CLASS_LIMIT)
      throw malformed(where, 'ranges such as 0-9 in a path pattern', echo(body));
    for (let code = from; code <= to; code += 1) inside.add(String.fromCharCode(code));
    if (isRange) at += 2;
  }
  return { kind: 'class', inside, negated };
}

/** Only the last star is ever tried again, so the work is at most the product of the two lengths: no pattern can stall us. */
function matchesTokens(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const next = tokens[token];
    if (next?.kind === 'star') {
      star = token;
      resumeAt = at;
      token += 1;
    } else if (next !== undefined && takes(next, text.charAt(at))) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      resumeAt += 1;
      at = resumeAt;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'star');
}

function takes(token: Token, letter: string): boolean {
  if (token.kind === 'literal') return token.text === letter;
  if (token.kind === 'class') return token.inside.has(letter) !== token.negated;
  return token.kind === 'any';
}
