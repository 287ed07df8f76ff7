import { echo, malformed } from './metadata-error.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** Without a prototype, so that no name in it is more than a name. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Objects and lists within each other. Real metadata nests 7 deep; more only serves to exhaust a stack (ours, in the canonical encoder). */
const DEPTH_LIMIT = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * JSON that can be read in one way only. Refused beyond RFC 8259: more than `limit` bytes, deep nesting, a name twice
 * in an object, `__proto__`, fractions, exponents and integers past 2^53 (the signer's numbers pass through a float64,
 * so two documents could have one canonical form), text that is not Unicode.
 * @param where what the document is, for messages
 * @throws MetadataError METADATA_INVALID
 */
export function parseStrictJson(bytes: Uint8Array, limit: number, where: string): Json {
  if (bytes.byteLength > limit) throw malformed(where, `at most ${limit} bytes`, `${bytes.byteLength}`);
  return new Parser(decode(bytes, where), where).document();
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder's own error says no more than this.
    throw malformed(where, 'UTF-8 text', 'other bytes');
  }
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  #at = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  document(): Json {
    const value = this.#value(0);
    if (this.#peek() !== '') throw this.#unexpected('the end of the document');
    return value;
  }

  #value(depth: number): Json {
    const next = this.#peek();
    if ((next === '{' || next === '[') && depth >= DEPTH_LIMIT) {
      throw malformed(this.#where, `at most ${DEPTH_LIMIT} levels`, 'deeper nesting');
    }
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    if (next === '"') return this.#string();
    if (next === '-' || (next >= '0' && next <= '9')) return this.#integer();
    return this.#word();
  }

  #object(depth: number): JsonObject {
    const object: Record<string, Json> = Object.create(null);
    this.#take('{');
    if (this.#peek() === '}') {
      this.#at += 1;
      return object;
    }
    for (;;) {
      if (this.#peek() !== '"') throw this.#unexpected('a name in quotes');
      const name = this.#string();
      // Prototype pollution: no honest document has this name, and a later copy of the object might not be as bare as this one.
      if (name === '__proto__') throw malformed(this.#where, 'names of data', '"__proto__"');
      // Two parsers may disagree on which of the two counts: one for the signature check, one for the reader.
      if (Object.hasOwn(object, name))
        throw malformed(this.#where, 'each name once in an object', `${echo(name)} twice`);
      this.#take(':');
      object[name] = this.#value(depth + 1);
      if (this.#takeEither(',', '}') === '}') return object;
    }
  }

  #array(depth: number): Json[] {
    const array: Json[] = [];
    this.#take('[');
    if (this.#peek() === ']') {
      this.#at += 1;
      return array;
    }
    for (;;) {
      array.push(this.#value(depth + 1));
      if (this.#takeEither(',', ']') === ']') return array;
    }
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      const start = this.#at;
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at += 1;
      value += this.#text.slice(start, this.#at);
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code !== BACKSLASH) throw this.#unexpected('the rest of a text');
      value += this.#escape();
    }
    this.#at += 1;
    // A lone surrogate has no UTF-8 form: encoders replace it, each in its own way, and the signed bytes would differ.
    if (!value.isWellFormed()) throw malformed(this.#where, 'Unicode text', 'half a surrogate pair');
    return value;
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1);
    if (letter === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#unexpected('four hex digits');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (plain === undefined) throw this.#unexpected('an escape of JSON');
    this.#at += 2;
    return plain;
  }

  #integer(): number {
    const pattern = /-?[0-9]+(?:[.eE][-+.0-9eE]*)?/y;
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    const value = Number(text);
    // `-0`, `1.0`, `1e3` and `007` are other spellings of a number, so they fail the comparison.
    if (!Number.isSafeInteger(value) || String(value) !== text) {
      throw malformed(this.#where, 'a whole number below 2^53 in plain digits', echo(text === '' ? '-' : text));
    }
    this.#at += text.length;
    return value;
  }

  #word(): Json {
    for (const [word, value] of [
      ['null', null],
      ['true', true],
      ['false', false],
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#unexpected('a value');
  }

  /** The next character that is not white space, `''` at the end. */
  #peek(): string {
    while (' \t\n\r'.includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at += 1;
    return this.#text.charAt(this.#at);
  }

  #take(character: string): void {
    if (this.#peek() !== character) throw this.#unexpected(`"${character}"`);
    this.#at += 1;
  }

  #takeEither(one: string, other: string): string {
    const next = this.#peek();
    if (next !== one && next !== other) throw this.#unexpected(`"${one}" or "${other}"`);
    this.#at += 1;
    return next;
  }

  #unexpected(expected: string): Error {
    const next = this.#text.charAt(this.#at);
    return malformed(`${this.#where}, character ${this.#at}`, expected, next === '' ? 'the end' : echo(next));
  }
}

/** False for the end of the text too, whose code is NaN. */
function isPlain(code: number): boolean {
  return code >= FIRST_PRINTABLE && code !== QUOTE && code !== BACKSLASH;
}
