import { z } from 'zod';
import { parseDuration, parseSize } from '../units.ts';

/**
 * What a field's text should have been. Thrown by parsers of single fields and caught by `textAs`;
 * every message of a schema is such a phrase, so that each problem reads "expected …, got …".
 */
export class Expected extends Error {
  override readonly name = 'Expected';
  readonly expected: string;
  readonly hint: string | undefined;

  constructor(expected: string, hint?: string) {
    super(expected);
    this.expected = expected;
    this.hint = hint;
  }
}

/** What a schema's message says. Without `got`, the value itself is described. */
export interface Message {
  readonly expected: string;
  readonly hint?: string;
  readonly got?: string;
}

/** The one text a schema can carry: the expectation, what to do about it, and what came, a line each. */
export function message(expected: string, hint = '', got = ''): string {
  return [expected, hint, got].join('\n');
}

export function readMessage(text: string): Message {
  const [expected = '', hint = '', got = ''] = text.split('\n');
  return { expected, ...(hint === '' ? {} : { hint }), ...(got === '' ? {} : { got }) };
}

/** A mapping with these keys and no other. An unknown key's message is the list of the known ones, a line each. */
export function mapping<Shape extends z.ZodRawShape>(expected: string, shape: Shape) {
  const known = Object.keys(shape).join('\n');
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? known : expected) });
}

/** @param unquoted what to do about a number or a flag, which YAML makes of text that looks like one */
export function text(expected: string, unquoted = 'put it in quotes') {
  const wrongType = (input: unknown) => (typeof input === 'number' || typeof input === 'boolean' ? unquoted : '');
  return z.string({ error: ({ input }) => message(expected, wrongType(input)) }).min(1, { error: expected });
}

/** Text that `parse` makes a value of: undefined, or a thrown `Expected`, when it cannot. */
export function textAs<Value>(expected: string, parse: (text: string) => Value | undefined, unquoted?: string) {
  return text(expected, unquoted).transform((written, context): Value => {
    const value = attempt(expected, () => parse(written));
    if (!(value instanceof Expected)) return value;
    context.addIssue({ code: 'custom', message: message(value.expected, value.hint) });
    return z.NEVER;
  });
}

function attempt<Value>(expected: string, parse: () => Value | undefined): Value | Expected {
  try {
    return parse() ?? new Expected(expected);
  } catch (error) {
    if (error instanceof Expected) return error;
    throw error;
  }
}

const UNIT = 'write the unit too';

/** A duration within limits that are themselves written as durations. The value is in milliseconds. */
export function duration(least: string, most: string) {
  const [from, to] = [parseDuration(least) ?? Number.NaN, parseDuration(most) ?? Number.NaN];
  const within = (written: string) => {
    const value = parseDuration(written);
    return value !== undefined && value >= from && value <= to ? value : undefined;
  };
  return textAs(`a duration from ${least} to ${most}, such as 500ms, 10s, 15m, 24h or 7d`, within, UNIT);
}

/** More than nothing. The value is in bytes. */
export function size() {
  return textAs('a size such as 50GiB or 500MB', (written) => parseSize(written) || undefined, UNIT);
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** One or more different texts. An empty list is refused: "all of nothing" would be satisfied by anything. */
export function names(expected: string, item: z.ZodType<string>) {
  const repeated = (list: readonly string[]) => list.find((name, at) => list.indexOf(name) < at);
  return z
    .array(item, { error: expected })
    .min(1, { error: expected })
    .superRefine((list, context) => {
      const name = repeated(list);
      if (name === undefined) return;
      const got = `${JSON.stringify(name)} again`;
      context.addIssue({ code: 'custom', message: message(`${expected}, each of them once`, '', got) });
    });
}

/** Exactly one of these keys (false is as good as none), checked even where something else is wrong with the mapping. */
export function exactlyOne(keys: readonly string[], hint?: string) {
  const said = (value: unknown) =>
    keys.filter((key) => isMapping(value) && value[key] !== undefined && value[key] !== false);
  return {
    check: (value: unknown): boolean => said(value).length === 1,
    params: {
      error: ({ input }: { input?: unknown }) =>
        message(`exactly one of ${keys.join(', ')}`, hint, said(input).join(' and ') || 'none of them'),
      when: ({ value }: { value: unknown }) => isMapping(value),
    },
  };
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
