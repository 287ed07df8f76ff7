import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type Document as Yaml,
} from 'yaml';
import { type Path, type Problem, pathText } from './problem.ts';
import { syntaxProblem } from './syntax.ts';

/** A hand-written configuration nests six deep and repeats itself little; far beyond that is an accident or a bomb. */
const DEPTH_LIMIT = 32;
const ALIAS_LIMIT = 100;
/** Values, each alias counted as often as it is used: what stops ten aliases of ten aliases of ten aliases. */
const VALUE_LIMIT = 100_000;
/** The mistakes after these are mostly consequences of the first. */
const SYNTAX_PROBLEM_LIMIT = 20;

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A YAML text as plain values, and where in the text each of them stands. */
export interface ConfigDocument {
  /** Mappings without prototype, lists, text, numbers, booleans and null; undefined when the text is not readable. */
  readonly value: unknown;
  /** Syntax errors, keys written twice, limits exceeded. */
  readonly problems: readonly Problem[];
  /** The place of a value or of its key; of the nearest thing around it where the path leads nowhere. */
  placeOf(path: Path, part: 'key' | 'value'): Place;
}

/** Reads one YAML 1.2 document of the core schema: no tags, no merge keys. Never throws for any text. */
export function parseConfigDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  // Pretty errors quote the line they are about, which may hold what somebody took for the place of a password.
  const yaml = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    schema: 'core',
    resolveKnownTags: false,
  });
  const reader = new Reader(yaml, lines);
  const mistakes = [...yaml.errors, ...yaml.warnings].slice(0, SYNTAX_PROBLEM_LIMIT);
  const syntax = mistakes.map(({ code, pos }) => ({ path: '', ...reader.place(pos[0]), ...syntaxProblem(code) }));
  const value = syntax.length === 0 ? reader.read() : undefined;
  return { value, problems: [...syntax, ...reader.problems], placeOf: (path, part) => reader.placeOf(path, part) };
}

/** One walk over the nodes: values out, places noted. Stops at the first limit exceeded. */
class Reader {
  readonly problems: Problem[] = [];
  readonly #yaml: Yaml.Parsed;
  readonly #lines: LineCounter;
  readonly #places = new Map<string, Place>();
  /** Looking one up walks the document: once for each alias, however often it is reached. */
  readonly #targets = new Map<Alias, unknown>();
  #values = 0;
  #stopped = false;

  constructor(yaml: Yaml.Parsed, lines: LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  read(): unknown {
    let aliases = 0;
    visit(this.#yaml, { Alias: () => void aliases++ });
    if (aliases > ALIAS_LIMIT) this.#stop([], 0, `at most ${ALIAS_LIMIT} aliases`, `${aliases}`);
    const value = this.#value(this.#yaml.contents, [], 0);
    return this.#stopped ? undefined : value;
  }

  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  placeOf(path: Path, part: 'key' | 'value'): Place {
    const parts = [part, 'key', 'value'] as const;
    const own = parts.map((each) => this.#places.get(placeKey(path, each))).find((place) => place !== undefined);
    if (own !== undefined) return own;
    return path.length === 0 ? { line: 1, column: 1 } : this.placeOf(path.slice(0, -1), 'key');
  }

  #value(node: unknown, path: Path, depth: number): unknown {
    if (this.#stopped) return null;
    const offset = offsetOf(node);
    if (offset !== undefined) this.#note(path, 'value', offset);
    this.#values++;
    if (depth > DEPTH_LIMIT) return this.#stop(path, offset, `at most ${DEPTH_LIMIT} levels of nesting`, 'more');
    if (this.#values > VALUE_LIMIT) return this.#stop(path, offset, `at most ${VALUE_LIMIT} values`, 'more');
    if (isAlias(node)) return this.#alias(node, path, depth);
    if (isMap(node)) return this.#mapping(node.items, path, depth);
    if (isSeq(node)) return node.items.map((item, at) => this.#value(item, [...path, at], depth + 1));
    return isScalar(node) ? node.value : null;
  }

  #alias(alias: Alias, path: Path, depth: number): unknown {
    const target = this.#targets.get(alias) ?? alias.resolve(this.#yaml);
    this.#targets.set(alias, target);
    if (target !== undefined) return this.#value(target, path, depth + 1);
    const hint = 'put text that begins with * in quotes';
    return this.#stop(path, offsetOf(alias), 'an anchor set earlier', `*${alias.source}`, hint);
  }

  #mapping(pairs: readonly Pair[], path: Path, depth: number): unknown {
    // Without a prototype, a key such as __proto__ is a key like any other.
    const mapping: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      const name = keyText(key);
      const offset = offsetOf(key);
      if (name === undefined) {
        this.#problem(path, offset, 'a key of plain text', 'none, or a key made of several values');
        continue;
      }
      const own = [...path, name];
      if (Object.hasOwn(mapping, name)) this.#problem(own, offset, 'each key once', this.#again(name, own));
      else if (offset !== undefined) this.#note(own, 'key', offset);
      mapping[name] = this.#value(value, own, depth + 1);
    }
    return mapping;
  }

  #again(name: string, path: Path): string {
    return `${JSON.stringify(name)} again (first in line ${this.placeOf(path, 'key').line})`;
  }

  #note(path: Path, part: 'key' | 'value', offset: number): void {
    this.#places.set(placeKey(path, part), this.place(offset));
  }

  #stop(path: Path, offset: number | undefined, expected: string, got: string, hint?: string): null {
    this.#stopped = true;
    this.#problem(path, offset, expected, got, hint);
    return null;
  }

  #problem(path: Path, offset: number | undefined, expected: string, got: string, hint?: string): void {
    const place = offset === undefined ? this.placeOf(path, 'key') : this.place(offset);
    this.problems.push({ path: pathText(path), ...place, expected, got, ...(hint === undefined ? {} : { hint }) });
  }
}

function placeKey(path: Path, part: 'key' | 'value'): string {
  return `${part} ${JSON.stringify(path)}`;
}

/** The key as it is written: `5000:` is the text 5000. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? undefined);
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}
