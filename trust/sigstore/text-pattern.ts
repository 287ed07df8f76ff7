/** What a text of a certificate or predicate must be: exactly this, or a pattern with `*` in it, always the whole text. */
export interface TextPattern {
  readonly text: string;
  /** The literal parts between the stars. */
  readonly literals: readonly string[];
}

/**
 * `*` stands for any characters but `/`, `@` and white space, so that it stays within one part of an identity; a `*` that
 * ends the pattern stands for the rest of it, slashes and all: `https://github.com/acme/*` is everything of acme.
 * There is no other special character.
 */
export function compileTextPattern(text: string): TextPattern {
  return { text, literals: text.split(/\*+/) };
}

/** Far beyond any identity or claim. */
const TEXT_LIMIT = 4096;

/** Takes time linear in the text for each star, and the text is bounded: it is of the signer's choosing. */
export function matchesPattern(pattern: TextPattern, text: string): boolean {
  if (text.length > TEXT_LIMIT) return false;
  const [first = '', ...more] = pattern.literals;
  if (more.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  /** Every place in the text that the pattern so far can have come to. */
  let reached = new Set([first.length]);
  for (const [index, literal] of more.entries()) {
    const last = index === more.length - 1;
    if (last && literal === '')
      return Math.max(-1, ...reached) > text.split('').findLastIndex((character) => /\s/.test(character));
    reached = new Set(
      spread(reached, text)
        .filter((at) => text.startsWith(literal, at))
        .map((at) => at + literal.length),
    );
  }
  return reached.has(text.length);
}

/** Where one star can end that began at one of these places. */
function spread(from: ReadonlySet<number>, text: string): number[] {
  const places: number[] = [];
  let open = false;
  for (let at = 0; at <= text.length; at += 1) {
    if (from.has(at)) open = true;
    if (open) places.push(at);
    if (at < text.length && /[/@\s]/.test(text.charAt(at))) open = false;
  }
  return places;
}
