const QUOTES = 'put text that has one of * & ! % @ ` { } [ ] # or ": " in it in quotes';

/** What was found, by the parser's code. The parser's own sentences are not used: they may quote the text. */
const FOUND: Readonly<Record<string, { readonly got: string; readonly hint?: string }>> = {
  BAD_ALIAS: { got: 'an alias or anchor without a proper name', hint: QUOTES },
  BAD_DIRECTIVE: { got: 'a "%" line that means nothing', hint: QUOTES },
  BAD_DQ_ESCAPE: { got: 'a backslash sequence that does not exist', hint: 'use single quotes' },
  BAD_INDENT: { got: 'lines not indented alike, or a bracket that is never closed' },
  BAD_SCALAR_START: { got: 'text that begins with a reserved character', hint: QUOTES },
  BLOCK_AS_IMPLICIT_KEY: { got: 'a second ": " in one line', hint: QUOTES },
  BLOCK_IN_FLOW: { got: 'an indented block inside brackets' },
  MISSING_CHAR: { got: 'a quote, bracket, comma, colon or space too few' },
  MULTILINE_IMPLICIT_KEY: { got: 'a key over several lines, or a line without its ":"' },
  MULTIPLE_DOCS: { got: 'a second document, after "---"', hint: 'one file is one configuration' },
  RESOURCE_EXHAUSTION: { got: 'nesting too deep to follow' },
  TAB_AS_INDENT: { got: 'a tab as indentation', hint: 'use spaces' },
  TAG_RESOLVE_FAILED: { got: 'a tag, a word that begins with "!"', hint: QUOTES },
  UNEXPECTED_TOKEN: { got: 'something that does not belong here', hint: QUOTES },
};

/** A syntax error in words that hold nothing of the text. */
export function syntaxProblem(code: string): { expected: string; got: string; hint?: string } {
  return { expected: 'well-formed YAML', ...(FOUND[code] ?? { got: `what the parser calls ${code}` }) };
}
